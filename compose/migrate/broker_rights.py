"""Who may do what on our own broker: whoever comes to its listener for readers reads one topic.

Who comes to its other listeners may do everything (compose/images/kafka/server.properties).
"""

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
)

READERS = "User:READERS"


def let_readers_read(servers: str, topic: str) -> None:
    """Grant readers the topic, and so what tells of it; a second time changes nothing.

    Raises:
        KafkaError: the broker could not be reached, or did not take it.
    """
    of_topic = ResourcePattern(ResourceType.TOPIC, topic)
    right = ACL(READERS, "*", ACLOperation.READ, ACLPermissionType.ALLOW, of_topic)
    admin = KafkaAdminClient(bootstrap_servers=servers)
    try:
        for refusal in admin.create_acls([right])["failed"]:
            raise refusal(f"the right to read {topic} was not taken")
    finally:
        admin.close()

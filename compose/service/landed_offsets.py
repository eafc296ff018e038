"""How far the stream has landed in the database, told by way of the broker.

Kept as the committed offsets of a group without members. Whoever writes to the stream and does
not know the database can tell from them what it has already, also where the topic was made anew
and is empty: after a restore beside a new broker, say.
"""

import time
from collections.abc import Callable, Mapping, Sequence

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

GROUP = "landed"
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.5


def tell_landed(servers: str, topic: str, landed: Mapping[int, int]) -> None:
    """Note for each partition how many lines have landed, counted over every topic of this name.

    Raises:
        KafkaError: the broker could not be reached, or did not take them.
    """
    if not landed:
        return
    offsets = {
        TopicPartition(topic, number): OffsetAndMetadata(offset, "", -1)
        for number, offset in landed.items()
    }

    def alter(admin: KafkaAdminClient) -> None:
        for outcome in admin.alter_group_offsets(GROUP, offsets).values():
            if outcome.errno:
                raise outcome(f"the landed offsets of {topic} were not taken")

    _asked(servers, alter)


def landed_offsets(servers: str, topic: str, partitions: Sequence[int]) -> dict[int, int]:
    """How many lines of each of these partitions have landed; none where nobody told.

    Raises:
        KafkaError: the broker could not be reached.
    """
    asked = [TopicPartition(topic, number) for number in partitions]
    told = _asked(servers, lambda admin: admin.list_group_offsets({GROUP: asked})[GROUP])
    return {one.partition: kept.offset for one, kept in told.items() if kept.offset >= 0}


def _asked[T](servers: str, question: Callable[[KafkaAdminClient], T]) -> T:
    """The answer; again where it comes to nothing: the first one makes the broker's own topic."""
    until = time.monotonic() + PATIENCE_SECONDS
    admin = KafkaAdminClient(bootstrap_servers=servers.split(","))
    try:
        while True:
            try:
                return question(admin)
            except KafkaError as error:
                if not error.retriable or time.monotonic() > until:
                    raise
            time.sleep(PAUSE_SECONDS)
    finally:
        admin.close()

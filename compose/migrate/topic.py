"""The Kafka topic of the stream: made with its partitions and retention, never changed."""

from datetime import timedelta

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import TopicAlreadyExistsError
from pydantic_settings import BaseSettings, SettingsConfigDict


class TopicSettings(BaseSettings):
    """Which topic to make; read from the environment."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    kafka_servers: str = "kafka:19093"
    kafka_topic: str = "movielog"
    topic_partitions: int = 2
    topic_retention: timedelta = timedelta(days=7)
    topic_bytes: int = 1 << 30


def make_topic(settings: TopicSettings) -> bool:
    """Make the topic if it is missing; whether it was."""
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka_servers)
    try:
        admin.create_topics([_new_topic(settings)])
    except TopicAlreadyExistsError:
        return False
    finally:
        admin.close()
    return True


def _new_topic(settings: TopicSettings) -> NewTopic:
    return NewTopic(
        settings.kafka_topic,
        num_partitions=settings.topic_partitions,
        replication_factor=1,
        topic_configs={
            "retention.ms": str(settings.topic_retention // timedelta(milliseconds=1)),
            "retention.bytes": str(settings.topic_bytes),
        },
    )

"""How everything here reaches Kafka: one settings class, and what is asked about a topic."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import UnknownTopicOrPartitionError
from pydantic_settings import BaseSettings, SettingsConfigDict


class KafkaSettings(BaseSettings):
    """Where the stream is and how to be let in; read from the environment.

    The password is read from a file, so that it stands in no environment listing.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    kafka_servers: str = "kafka:19092"
    kafka_topic: str = "movielog"
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    kafka_user: str = ""
    kafka_password_file: Path | None = None
    kafka_ca_file: Path | None = None
    kafka_certificate_file: Path | None = None
    kafka_key_file: Path | None = None

    def client_options(self) -> dict[str, Any]:
        """What every client of kafka-python is made with.

        Raises:
            OSError: the password file cannot be read.
        """
        options: dict[str, Any] = {
            "bootstrap_servers": self.kafka_servers,
            "security_protocol": self.kafka_security,
            "bootstrap_timeout_ms": 4_000,
            "request_timeout_ms": 10_000,
            "reconnect_backoff_max_ms": 2_000,
        }
        if self.kafka_security.endswith("SSL"):
            options |= {
                "ssl_cafile": _path(self.kafka_ca_file),
                "ssl_certfile": _path(self.kafka_certificate_file),
                "ssl_keyfile": _path(self.kafka_key_file),
            }
        if self.kafka_security.startswith("SASL"):
            options |= {
                "sasl_mechanism": self.kafka_sasl_mechanism,
                "sasl_plain_username": self.kafka_user,
                "sasl_plain_password": _password(self.kafka_password_file),
            }
        return options


def _path(file: Path | None) -> str | None:
    return str(file) if file else None


def _password(file: Path | None) -> str:
    return file.read_text().strip() if file else ""


@contextmanager
def asking(settings: KafkaSettings) -> Iterator[KafkaConsumer]:
    """A consumer that asks about offsets and reads nothing."""
    consumer = KafkaConsumer(**settings.client_options(), group_id=None)
    try:
        yield consumer
    finally:
        consumer.close(autocommit=False, timeout_ms=1_000)


def log_bounds(consumer: KafkaConsumer, topic: str) -> dict[int, range]:
    """The offsets that the broker has at this moment, for each partition of a topic."""
    partitions = [
        TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()
    ]
    begin, end = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
    return {at.partition: range(begin[at], end[at]) for at in partitions}


def topic_id(settings: KafkaSettings) -> str:
    """Kafka's own id of the topic; empty where the broker is too old to have one.

    Raises:
        UnknownTopicOrPartitionError: there is no such topic.
    """
    admin = KafkaAdminClient(**settings.client_options())
    try:
        described = admin.describe_topics([settings.kafka_topic])
    finally:
        admin.close()
    if not described or described[0]["error_code"]:
        raise UnknownTopicOrPartitionError(f"there is no topic {settings.kafka_topic}")
    return str(described[0].get("topic_id") or "")

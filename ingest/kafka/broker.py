"""How everything here reaches Kafka: one settings class, and what is asked about a topic."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import (
    AuthorizationError,
    KafkaError,
    SaslAuthenticationFailedError,
    UnknownTopicOrPartitionError,
    UnsupportedSaslMechanismError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest.errors import RefusedError
from ingest.kafka.decompression import bound_unpacking
from ingest.kafka.deserializers import NoKey, ShortLine

LOG = structlog.get_logger()

REFUSALS = (AuthorizationError, SaslAuthenticationFailedError, UnsupportedSaslMechanismError)
# what OpenSSL calls it when one side does not take the other's certificate
CERTIFICATE_REFUSALS = ("CERTIFICATE", "UNKNOWN_CA")


class KafkaSettings(BaseSettings):
    """Where the stream is and how to be let in; read from the environment.

    The password is read from a file, so that it stands in no environment listing. Of the
    authority, the client's certificate and its key, each an empty file is as good as none.
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
            OSError: a file that is named cannot be read.
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


def consumer_of(settings: KafkaSettings, **options: Any) -> KafkaConsumer:
    """A consumer that belongs to no group, commits nothing to Kafka and sees no open transaction.

    However much publishers pack into a batch, what is read of it stays within bounds.
    """
    bound_unpacking()
    return KafkaConsumer(
        **settings.client_options(),
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        key_deserializer=NoKey(),
        value_deserializer=ShortLine(),
        **options,
    )


def _path(file: Path | None) -> str | None:
    """The path of a file that says something; an empty one stands for none."""
    return str(file) if file and file.stat().st_size else None


def _password(file: Path | None) -> str:
    return file.read_text().strip() if file else ""


class Refusals(logging.Handler):
    """Hears why a broker and we do not accept each other: kafka-python logs it, and times out.

    Where the broker hangs up at once, kafka-python may miss its answer; it asks again.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.refusal: Exception | None = None
        self.first_said = ""
        self._trouble = False

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a refusal, and what was said first: more of it is repetition and consequence."""
        self._trouble = True
        self.first_said = self.first_said or record.getMessage()
        for error in [*(record.args or ()), *(record.exc_info or ())]:
            if isinstance(error, Exception) and is_refusal(error):
                self.refusal = error

    def trouble(self) -> bool:
        """Whether anything was said since this was last asked: a connection may have been lost."""
        trouble, self._trouble = self._trouble, False
        return trouble


def is_refusal(error: Exception) -> bool:
    """Whether trying again will not help before a person has changed something."""
    return isinstance(error, REFUSALS) or any(word in str(error) for word in CERTIFICATE_REFUSALS)


@contextmanager
def refusals_raised() -> Iterator[Refusals]:
    """Raise a refusal as what it is where clients of the broker are used; yields what is heard.

    Raises:
        RefusedError: the broker and we do not accept each other.
    """
    refusals, said_by_kafka = Refusals(), logging.getLogger("kafka")
    said_by_kafka.addHandler(refusals)
    try:
        yield refusals
    except KafkaError as error:
        refusal = error if is_refusal(error) else refusals.refusal
        if refusal is None and refusals.first_said:
            LOG.warning("broker not reached", kafka_python=refusals.first_said)
        if refusal is None:
            raise
        raise RefusedError(
            "the broker and ingest do not accept each other (see KAFKA_SECURITY, KAFKA_USER and the"
            f" secrets kafka, kafka-ca, kafka-certificate and kafka-key): {refusal}"
        ) from error
    finally:
        said_by_kafka.removeHandler(refusals)


@contextmanager
def asking(settings: KafkaSettings) -> Iterator[KafkaConsumer]:
    """A consumer that asks about offsets and reads nothing.

    Raises:
        RefusedError: the broker and we do not accept each other.
    """
    with refusals_raised():
        consumer = consumer_of(settings)
        try:
            yield consumer
        finally:
            consumer.close(autocommit=False, timeout_ms=1_000)


def log_bounds(consumer: KafkaConsumer, topic: str) -> dict[int, range]:
    """The offsets that can be read at this moment, for each partition of a topic.

    Past a transaction that is still open nothing can be.
    """
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

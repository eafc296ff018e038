"""A fresh database and a fresh topic for each test, on a real PostgreSQL and a real Kafka."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest
from kafka.admin import KafkaAdminClient, NewTopic

from ingest.settings import IngestSettings
from tests.integration.releaser import releaser
from tests.integration.releasing import stage
from tests.integration.serving import Slots
from tests.stores import KAFKA, as_role, database, migrated_database, service_environment

__all__ = ["releaser", "stage"]

Conninfo = Callable[[str], str]


@pytest.fixture(scope="session")
def template() -> Iterator[str]:
    """The name of a migrated, empty database that each test copies."""
    with migrated_database("template") as name:
        yield name


@pytest.fixture
def conninfo(template: str) -> Iterator[Conninfo]:
    """Call it with a role's name for a connection string that logs in as that role."""
    with database("test", template=template) as name:
        yield partial(as_role, name)


@pytest.fixture
def owner(conninfo: Conninfo) -> Iterator[psycopg.Connection]:
    """A session of the owner of all tables, in autocommit mode."""
    with psycopg.connect(conninfo("marquee"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def evaluation(conninfo: Conninfo) -> Iterator[psycopg.Connection]:
    """A session with the rights of evaluation, in autocommit mode."""
    with psycopg.connect(conninfo("evaluation"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def trainer(conninfo: Conninfo) -> Iterator[psycopg.Connection]:
    """A session with the rights of the trainer, in autocommit mode."""
    with psycopg.connect(conninfo("trainer"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def slots(tmp_path: Path, conninfo: Conninfo) -> Iterator[Slots]:
    """Slots of a state and models of their own, of which none has started yet."""
    slots = Slots(tmp_path, conninfo("recommender"))
    yield slots
    slots.end()


@pytest.fixture
def topic() -> Iterator[str]:
    """A new topic with two partitions."""
    name = f"test_{uuid.uuid4().hex[:8]}"
    admin = KafkaAdminClient(bootstrap_servers=KAFKA)
    admin.create_topics([NewTopic(name, num_partitions=2, replication_factor=1)])
    yield name
    admin.delete_topics([name])
    admin.close()


@pytest.fixture
def kafka_servers() -> str:
    """Bootstrap servers of the broker under test."""
    return KAFKA


@pytest.fixture
def ingest_settings(topic: str, tmp_path: Path) -> IngestSettings:
    """How this test's topic is landed."""
    return IngestSettings(
        database_user="ingest",
        database_passfile=tmp_path / "passfile",
        heartbeat_file=tmp_path / "heartbeat",
        kafka_servers=KAFKA,
        kafka_topic=topic,
        batch_time=timedelta(seconds=0.1),
    )


@pytest.fixture
def ingest_environment(
    topic: str, conninfo: Conninfo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the commands of ingest read: this test's stores, with the rights of ingest."""
    of_stream = {"KAFKA_SERVERS": KAFKA, "KAFKA_TOPIC": topic}
    for name, value in (service_environment(conninfo("ingest"), tmp_path) | of_stream).items():
        monkeypatch.setenv(name, value)

"""A fresh database and a fresh topic for each test, on a real PostgreSQL and a real Kafka."""

import os
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from kafka.admin import KafkaAdminClient, NewTopic
from psycopg import sql
from psycopg.conninfo import make_conninfo

from compose.migrate.__main__ import migrate

OWNER = os.environ.get(
    "TEST_DATABASE", "host=localhost port=55432 user=marquee password=dev dbname=postgres"
)
ROLES = ("ingest", "retention", "trainer", "recommender", "evaluation", "releaser", "analyst")
PASSWORD = "for this server only"  # noqa: S105 -- a server that lives as long as the tests
KAFKA = os.environ.get("TEST_KAFKA", "localhost:59092")

Conninfo = Callable[[str], str]


@pytest.fixture(scope="session")
def template() -> Iterator[str]:
    """The name of a migrated, empty database that each test copies."""
    name = f"template_{uuid.uuid4().hex[:8]}"
    _create_database(name)
    with psycopg.connect(OWNER, autocommit=True) as cluster:
        # Roles belong to the whole cluster, and test processes run side by side.
        cluster.execute("SELECT pg_advisory_lock(1)")
        verifiers = dict.fromkeys(ROLES, PASSWORD)
        migrate(make_conninfo(OWNER, dbname=name), verifiers, datetime.now(UTC))
    yield name
    _drop_database(name)


@pytest.fixture
def conninfo(template: str) -> Iterator[Conninfo]:
    """Call it with a role's name for a connection string that logs in as that role."""

    def as_role(role: str) -> str:
        own = {"user": role, "password": PASSWORD} if role in ROLES else {}
        return make_conninfo(OWNER, dbname=name, options=f"-c role={role}", **own)

    name = f"test_{uuid.uuid4().hex[:8]}"
    _create_database(name, template)
    yield as_role
    _drop_database(name)


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


def _create_database(name: str, template: str = "template1") -> None:
    with psycopg.connect(OWNER, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


def _drop_database(name: str) -> None:
    with psycopg.connect(OWNER, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )

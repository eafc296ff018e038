"""Bring database and topic to the state this code expects; a second run changes nothing.

Roles first (the tables name their owners), then the tables, then the job queue's own
schema, then views and rights, then the partitions that rows can land in right away.

Usage: python -m compose.migrate [roles | rotate NAME]
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import psycopg
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from procrastinate.schema import SchemaManager
from psycopg import sql
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from compose.migrate.broker_rights import let_readers_read
from compose.migrate.job_queue import library_migrations, migrate_job_queue
from compose.migrate.locks import LOCK_TIMEOUT, patiently
from compose.migrate.rotation import rotate_by_name
from compose.migrate.topic import TopicSettings, make_topic
from compose.service.command_line import run as run_commands
from compose.service.database import DatabaseSettings
from compose.service.landed_offsets import tell_landed
from compose.service.log import configure_logging
from ingest.retention.partition_settings import PartitionSettings
from ingest.retention.partitions import make_partitions

HERE = files("compose.migrate")
LOG = structlog.get_logger()


class Settings(DatabaseSettings):
    """Connects as the database's owner; the verifiers are the other roles' passwords."""

    role_verifiers_file: Path


class OwnerRefusedError(Exception):
    """PostgreSQL has another password of its owner than the secrets volume."""


class NewerDatabaseError(Exception):
    """Newer code has migrated this database; this code would not understand it."""


def migrate(conninfo: str, verifiers: dict[str, str], now: datetime) -> None:
    """Create or update roles, tables, job queue, views, rights and partitions.

    Raises:
        NewerDatabaseError: it is for newer code than this; nothing was changed.
    """
    refuse_newer(conninfo)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        create_roles(connection, verifiers)
        connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'".encode())
        patiently(lambda: migrate_tables(conninfo), "tables")
        patiently(lambda: migrate_queue(connection), "job queue")
        patiently(lambda: set_views_and_rights(connection), "views and rights")
        connection.execute("SET ROLE retention")
        make_partitions(connection, PartitionSettings(), now)


def set_views_and_rights(connection: psycopg.Connection) -> None:
    """State all of them, at once: nobody finds a view missing."""
    with connection.transaction():
        connection.execute(HERE.joinpath("views.sql").read_bytes())
        connection.execute(HERE.joinpath("database_rights.sql").read_bytes())
        connection.execute(HERE.joinpath("rights.sql").read_bytes())
        connection.execute(HERE.joinpath("scheduler.sql").read_bytes())


def create_roles(connection: psycopg.Connection, verifiers: dict[str, str]) -> None:
    """Create a login role for each service and give it its password's verifier."""
    connection.execute(HERE.joinpath("roles.sql").read_bytes())
    for role, verifier in verifiers.items():
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier))
        )


def limit_server(conninfo: str) -> None:
    """Say how many sessions each role may have in this whole server, and in which databases."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(HERE.joinpath("connection_limits.sql").read_bytes())
        connection.execute(HERE.joinpath("server_rights.sql").read_bytes())


def refuse_newer(conninfo: str) -> None:
    """Hold the database's revision against those that this code knows."""
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    with _transaction(conninfo) as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    if revision is not None and revision not in known:
        raise NewerDatabaseError(
            f"the database is at revision {revision}, which this code does not know: it is older"
            " than the code that ran here last. Check that code out again, then: make up"
        )


def migrate_tables(conninfo: str) -> None:
    """Run the Alembic migrations that have not run yet."""
    config = _config()
    with _transaction(conninfo) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _transaction(conninfo: str) -> Iterator[Connection]:
    """A transaction for Alembic; what PostgreSQL refuses is raised as everywhere, by psycopg."""
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: _connect(conninfo), poolclass=NullPool
    )
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise error.orig or error from error


def _connect(conninfo: str) -> psycopg.Connection:
    return psycopg.connect(conninfo, options=f"-c lock_timeout={LOCK_TIMEOUT}")


def migrate_queue(connection: psycopg.Connection) -> None:
    """Bring the job queue's tables to the state that the installed library expects."""
    schema = SchemaManager.get_schema()
    for name in migrate_job_queue(connection, schema, library_migrations()):
        LOG.info("job queue migrated", migration=name)


def main(arguments: list[str]) -> int:
    """Do what the command line asks; 1 when that fails, 2 for what it does not understand.

    Raises:
        OwnerRefusedError: nobody can log in as the database's owner; it says what helps.
    """
    configure_logging("migrate")
    try:
        return obey(arguments, Settings())
    except psycopg.OperationalError as error:
        if "password authentication failed" not in str(error):  # the server gives no code for it
            raise
        raise OwnerRefusedError(
            "PostgreSQL does not take its owner's password. It learns a new one when it starts:"
            " docker compose restart postgres, then: make up"
        ) from error


def obey(arguments: list[str], settings: Settings) -> int:
    """Migrate all, or make the roles alone, or rotate one password."""
    match arguments:
        case []:
            return migrate_all(settings)
        case ["roles"]:
            make_roles(settings)
            return 0
        case ["rotate", name]:
            return rotate_by_name(settings.conninfo(), name)
        case _:
            sys.stderr.write("migrate: nothing, or roles, or rotate NAME\n")
            return 2


def make_roles(settings: Settings) -> None:
    """Only the roles with their passwords: a dump that is restored names them as owners."""
    with psycopg.connect(settings.conninfo(), autocommit=True) as connection:
        create_roles(connection, json.loads(settings.role_verifiers_file.read_text()))


def migrate_all(settings: Settings) -> int:
    """Migrate database and topic; 1 when this code is too old for the database."""
    verifiers = json.loads(settings.role_verifiers_file.read_text())
    try:
        migrate(settings.conninfo(), verifiers, datetime.now(UTC))
        limit_server(settings.conninfo())
    except NewerDatabaseError as error:
        LOG.error("not migrated", reason=str(error))  # noqa: TRY400 -- one sentence says it all
        return 1
    topic = TopicSettings()
    make_topic(topic)
    let_readers_read(topic.kafka_servers, topic.kafka_topic)
    tell_what_landed(settings.conninfo(), topic)
    return 0


def tell_what_landed(conninfo: str, topic: TopicSettings) -> None:
    """Tell those who write to the topic what this database has of it, on this broker or another."""
    with psycopg.connect(conninfo) as connection:
        landed: dict[int, int] = dict(
            connection.execute(
                "SELECT log_partition, next_offset FROM stream_offset WHERE topic = %s",
                (topic.kafka_topic,),
            ).fetchall()
        )
    tell_landed(topic.kafka_servers, topic.kafka_topic, landed)


if __name__ == "__main__":
    run_commands(lambda: sys.exit(main(sys.argv[1:])), OwnerRefusedError)

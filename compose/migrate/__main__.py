"""Bring database and topic to the state this code expects; a second run changes nothing.

Roles first (the tables name their owners), then the tables, then the job queue's own
schema, then views and rights, then the partitions that rows can land in right away.
"""

import json
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from procrastinate.schema import SchemaManager
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from compose.migrate.topic import TopicSettings, make_topic
from compose.service.database import DatabaseSettings
from compose.service.log import configure_logging
from ingest.retention.partition_settings import PartitionSettings
from ingest.retention.partitions import make_partitions

HERE = files("compose.migrate")


class Settings(DatabaseSettings):
    """Connects as the database's owner; the verifiers are the other roles' passwords."""

    role_verifiers_file: Path


def migrate(conninfo: str, verifiers: dict[str, str], now: datetime) -> None:
    """Create or update roles, tables, job queue, views, rights and partitions."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        create_roles(connection, verifiers)
        migrate_tables(conninfo)
        create_job_queue(connection)
        with connection.transaction():  # nobody finds a view missing
            connection.execute(HERE.joinpath("views.sql").read_bytes())
            connection.execute(HERE.joinpath("rights.sql").read_bytes())
        connection.execute("SET ROLE retention")
        make_partitions(connection, PartitionSettings(), now)


def create_roles(connection: psycopg.Connection, verifiers: dict[str, str]) -> None:
    """Create a login role for each service and give it its password's verifier."""
    connection.execute(HERE.joinpath("roles.sql").read_bytes())
    for role, verifier in verifiers.items():
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier))
        )


def migrate_tables(conninfo: str) -> None:
    """Run the Alembic migrations that have not run yet."""
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=NullPool
    )
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def create_job_queue(connection: psycopg.Connection) -> None:
    """Create procrastinate's own tables, once."""
    if connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone() == (None,):
        connection.execute(SchemaManager.get_schema().encode())


def main() -> None:
    """Run with the settings of the environment."""
    configure_logging("migrate")
    settings = Settings()
    verifiers = json.loads(settings.role_verifiers_file.read_text())
    migrate(settings.conninfo(), verifiers, datetime.now(UTC))
    make_topic(TopicSettings())


if __name__ == "__main__":
    main()

"""The job queue's own tables: made whole once, then brought forward by its library's migrations.

Which of them a database has is kept beside them. A database from before that was kept has what
the library had when it was made, which was the version that is recorded here.
"""

from collections.abc import Mapping
from pathlib import Path

import psycopg
from procrastinate.schema import SchemaManager

LAST_BEFORE_RECORDS = "03.04.00_50_post_add_retry_failed_job_procedure.sql"
"""The newest migration of the library that every database without a record was made with."""
RECORD = """
CREATE TABLE IF NOT EXISTS procrastinate_migrations (name text PRIMARY KEY);
COMMENT ON TABLE procrastinate_migrations IS
    'Which migrations of the job queue''s library these tables have; compose.migrate keeps it';
"""


def library_migrations() -> dict[str, str]:
    """Each migration of the installed library, in order: its name and its SQL."""
    files = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    return {file.name: file.read_text(encoding="utf-8") for file in files}


def migrate_job_queue(
    connection: psycopg.Connection, schema: str, migrations: Mapping[str, str]
) -> list[str]:
    """Make the tables, or do what they lack of the migrations; the names of those done.

    Args:
        connection: the owner's, in autocommit mode.
        schema: makes all of it, up to the last migration.
        migrations: SQL by name, in the order in which they are done.
    """
    with connection.transaction():
        there = _exists(connection, "procrastinate_jobs")
        recorded = _exists(connection, "procrastinate_migrations")
        connection.execute(RECORD.encode())
        if not there:
            connection.execute(schema.encode())
            _record(connection, list(migrations))
        elif not recorded:
            _record(connection, [name for name in migrations if name <= LAST_BEFORE_RECORDS])
    return [name for name, change in migrations.items() if _did(connection, name, change)]


def _did(connection: psycopg.Connection, name: str, change: str) -> bool:
    with connection.transaction():
        known = "SELECT FROM procrastinate_migrations WHERE name = %s"
        if connection.execute(known, (name,)).fetchone() is not None:
            return False
        connection.execute(change.encode())
        _record(connection, [name])
    return True


def _record(connection: psycopg.Connection, names: list[str]) -> None:
    connection.execute("INSERT INTO procrastinate_migrations SELECT unnest(%s::text[])", (names,))


def _exists(connection: psycopg.Connection, table: str) -> bool:
    return connection.execute("SELECT to_regclass(%s)", (table,)).fetchone() != (None,)

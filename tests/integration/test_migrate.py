from datetime import UTC, datetime

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from compose.migrate.__main__ import NewerDatabaseError, migrate
from compose.migrate.tables import metadata

PROCRASTINATE = "procrastinate_"


def schema(conninfo: str) -> list[tuple[object, ...]]:
    with psycopg.connect(conninfo) as connection:
        return connection.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public' ORDER BY 1, 2"
        ).fetchall()


def test_a_second_run_changes_nothing(conninfo):
    owner = conninfo("marquee")
    before = schema(owner)
    migrate(owner, {}, datetime.now(UTC))
    assert schema(owner) == before


def test_a_database_that_newer_code_migrated_is_refused_and_left_alone(conninfo):
    owner = conninfo("marquee")
    with psycopg.connect(owner) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("REVOKE SELECT ON rating FROM trainer")
    with pytest.raises(NewerDatabaseError, match="older than the code that ran here last"):
        migrate(owner, {}, datetime.now(UTC))
    with (
        psycopg.connect(conninfo("trainer")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT * FROM rating")


def test_the_migrations_make_exactly_the_tables_the_code_declares(conninfo):
    declared = {table.name for table in metadata.tables.values()}
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo("marquee"))
    )

    def ours(_object: object, name: str | None, kind: str, *_rest: object) -> bool:
        return kind != "table" or name in declared

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_every_table_and_column_has_a_comment(conninfo):
    with psycopg.connect(conninfo("marquee")) as connection:
        bare = connection.execute(
            "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')"
            " AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped"
            " AND c.relname NOT LIKE %s AND c.relname <> 'alembic_version'"
            " AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)",
            (PROCRASTINATE + "%",),
        ).fetchall()
    assert bare == []


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("ingest", "DELETE FROM watch"),
        ("ingest", "SELECT * FROM receipt"),
        ("recommender", "INSERT INTO rating SELECT * FROM rating"),
        ("trainer", "DELETE FROM rating"),
        ("releaser", "SELECT * FROM watch"),
        ("analyst", "CREATE TABLE t ()"),
        ("evaluation", "DELETE FROM receipt"),
    ],
)
def test_a_role_may_do_no_more_than_its_service_needs(conninfo, role, statement):
    with psycopg.connect(conninfo(role)) as connection:
        connection.read_only = False  # a role may set what only its defaults forbid
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)

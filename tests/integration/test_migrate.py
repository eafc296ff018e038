from datetime import UTC, datetime

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg.conninfo import make_conninfo
from sqlalchemy import create_engine

from compose.migrate.__main__ import HERE, NewerDatabaseError, migrate, migrate_tables
from compose.migrate.locks import patiently
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
        ("analyst", "SELECT lo_create(0)"),
        ("ingest", "SELECT lo_from_bytea(0, 'x')"),
        ("analyst", "SELECT pg_advisory_lock(hashtext('marquee release'))"),
        ("analyst", "LOCK TABLE rating IN SHARE MODE"),
    ],
)
def test_a_role_may_do_no_more_than_its_service_needs(conninfo, role, statement):
    with psycopg.connect(conninfo(role)) as connection:
        connection.read_only = False  # a role may set what only its defaults forbid
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_a_service_takes_its_locks_and_people_do_not(conninfo):
    with psycopg.connect(conninfo("releaser")) as connection:
        assert connection.execute("SELECT pg_try_advisory_lock(7)").fetchone() == (True,)


def test_people_in_the_middle_of_a_transaction_do_not_hold_up_a_start(conninfo):
    with psycopg.connect(conninfo("analyst")) as person:
        person.execute("SELECT count(*) FROM rating")
        person.execute("SELECT count(*) FROM receipt")
        with psycopg.connect(conninfo("marquee"), options="-c lock_timeout=5s") as owner:
            owner.execute(HERE.joinpath("rights.sql").read_bytes())


@pytest.mark.parametrize("role", ["analyst", "recommender"])
def test_nobody_but_the_owner_comes_to_another_database(conninfo, role):
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(make_conninfo(conninfo(role), dbname="postgres"))


def test_people_make_no_temporary_tables(conninfo):
    with psycopg.connect(conninfo("analyst")) as connection:
        connection.read_only = False
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TEMP TABLE t ()")


def test_people_have_limits(conninfo):
    with psycopg.connect(conninfo("analyst")) as connection:
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            assert connection.execute(f"SHOW {limit}").fetchone() == ("5min",)
        assert connection.execute("SHOW temp_file_limit").fetchone() == ("2GB",)


def test_a_change_waits_for_a_reader_without_keeping_others_from_the_table(conninfo):
    """Whoever waits for a lock keeps off everybody who comes after: it must let go in between."""
    pauses = []

    def pause(_seconds: float) -> None:
        pauses.append(1)
        with psycopg.connect(conninfo("ingest"), options="-c lock_timeout=1s") as other:
            other.execute("SELECT count(*) FROM watch")
        person.rollback()

    with (
        psycopg.connect(conninfo("analyst")) as person,
        psycopg.connect(conninfo("marquee"), options="-c lock_timeout=200ms") as owner,
    ):
        person.execute("SELECT count(*) FROM watch")
        owner.autocommit = True
        patiently(lambda: owner.execute("ALTER TABLE watch ADD COLUMN x int") and None, "x", pause)
    assert pauses == [1]


def test_a_migration_gives_up_the_lock_that_it_does_not_get(conninfo):
    with psycopg.connect(conninfo("marquee")) as other:
        other.execute("LOCK TABLE alembic_version")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            migrate_tables(conninfo("marquee"))

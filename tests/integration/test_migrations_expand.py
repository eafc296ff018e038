"""Migrations are expand-then-contract: the code of the commit before runs on the new schema.

What that code can read and write is its schema. So after each migration all of the one before is
held against what is there now: each column with its type, what may be left out of an INSERT, the
keys that an ON CONFLICT names (what is only included in an index it can't name), and that no
constraint came that rows were not held to before.
"""

from collections.abc import Iterator
from itertools import pairwise

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from compose.migrate.__main__ import HERE, create_roles
from tests.stores import OWNER, as_role, database

RULE_SINCE = "0011"
"""Migrations before this one took something away now and then."""

CHANGES = {
    "DROP TABLE model_version CASCADE": "table model_version",
    "ALTER TABLE deployment DROP COLUMN reason CASCADE": "column deployment.reason",
    "ALTER TABLE deployment RENAME COLUMN slot TO place": "column deployment.slot",
    "ALTER TABLE deployment ALTER share TYPE bigint": "column deployment.share",
    "ALTER TABLE deployment ADD must int NOT NULL": "required deployment.must",
    "ALTER TABLE deployment ALTER job_id SET NOT NULL": "required deployment.job_id",
    "ALTER TABLE model_version DROP CONSTRAINT model_version_pkey": "key model_version",
    "ALTER TABLE deployment ADD CHECK (share > 0)": ("constraint deployment: CHECK ((share > 0))"),
}
"""What a migration could do, and what would be said of it."""

COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
       a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
"""

CONSTRAINTS = """
SELECT conrelid::regclass::text, regexp_replace(pg_get_constraintdef(oid), ' INCLUDE .*', ''),
       contype IN ('p', 'u')
FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'c', 'f') AND conparentid = 0
"""


class Schema:
    """What code relies on of a database."""

    def __init__(self, connection: psycopg.Connection) -> None:
        rows = connection.execute(COLUMNS).fetchall()
        self.columns = {(table, name): kind for table, name, kind, _must in rows}
        self.required = {(table, name) for table, name, _kind, must in rows if must}
        self.tables = {table for table, *_ in rows}
        constraints = connection.execute(CONSTRAINTS).fetchall()
        self.keys = {(table, what) for table, what, is_key in constraints if is_key}
        self.constraints = {(table, what) for table, what, _is_key in constraints}

    def broken_for(self, before: "Schema") -> Iterator[str]:
        """What code that was written for the schema before would fail at."""
        yield from (f"table {table}" for table in before.tables - self.tables)
        kept = before.tables & self.tables
        for (table, name), kind in before.columns.items():
            if table in kept and self.columns.get((table, name)) != kind:
                yield f"column {table}.{name}"
        for table, name in self.required - before.required:
            if table in kept:
                yield f"required {table}.{name}"
        yield from (f"key {table}" for table, _ in before.keys - self.keys if table in kept)
        for table, what in self.constraints - before.constraints - self.keys:
            if table in kept:
                yield f"constraint {table}: {what}"


CONFIG = Config()
CONFIG.set_main_option("script_location", str(HERE))
CONFIG.set_main_option("path_separator", "os")


def revisions():
    walked = ScriptDirectory.from_config(CONFIG).walk_revisions()
    return [script.revision for script in reversed(list(walked))]


def upgrade(conninfo: str, revision: str) -> Schema:
    """Migrate to a revision; the schema then."""
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=NullPool
    )
    with engine.begin() as connection:
        CONFIG.attributes["connection"] = connection
        command.upgrade(CONFIG, revision)
    with psycopg.connect(conninfo) as connection:
        return Schema(connection)


@pytest.fixture
def empty():
    """A database without tables, in a cluster that has the services' roles."""
    with database("test") as name:
        conninfo = as_role(name, "marquee")
        with psycopg.connect(OWNER, autocommit=True) as cluster:
            cluster.execute("SELECT pg_advisory_lock(1)")  # roles belong to the whole cluster
            with psycopg.connect(conninfo, autocommit=True) as connection:
                create_roles(connection, {})
        yield conninfo


def test_no_migration_takes_away_what_the_code_before_it_needs(empty):
    schemas = {revision: upgrade(empty, revision) for revision in revisions()}
    broken = {
        after: set(schemas[after].broken_for(schemas[before]))
        for before, after in pairwise(schemas)
        if after >= RULE_SINCE
    }
    assert not any(broken.values()), broken


def test_what_would_break_the_code_before_is_found(empty):
    before = upgrade(empty, "head")
    with psycopg.connect(empty, autocommit=True) as connection:
        for change, words in CHANGES.items():
            with connection.transaction(force_rollback=True):
                connection.execute(change.encode())
                found = set(Schema(connection).broken_for(before))
            assert words in found, change

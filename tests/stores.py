"""The PostgreSQL and the Kafka that tests work on, and databases of their own in it."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from compose.migrate.__main__ import migrate
from compose.secrets.files import passfile
from compose.secrets.inventory import ROLE_UIDS

OWNER = os.environ.get(
    "TEST_DATABASE", "host=localhost port=55432 user=marquee password=dev dbname=postgres"
)
KAFKA = os.environ.get("TEST_KAFKA", "localhost:59092")
DATABASE_RIGHTS = files("compose.migrate").joinpath("database_rights.sql").read_bytes()
SERVER_RIGHTS = files("compose.migrate").joinpath("server_rights.sql").read_bytes()
PASSWORD = "for this server only"  # noqa: S105 -- a server that lives as long as the tests


@contextmanager
def database(prefix: str, owner: str = OWNER, template: str = "template1") -> Iterator[str]:
    """The name of a new database; it is gone afterwards."""
    name = f"{prefix}_{uuid.uuid4().hex[:8]}"
    _administer(owner, "CREATE DATABASE {} TEMPLATE {}", name, template)
    try:
        if template != "template1":
            with psycopg.connect(make_conninfo(owner, dbname=name)) as copy:
                copy.execute(DATABASE_RIGHTS)
        yield name
    finally:
        _administer(owner, "DROP DATABASE {} WITH (FORCE)", name)


def _administer(owner: str, statement: str, *names: str) -> None:
    with psycopg.connect(owner, autocommit=True) as server:
        server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def migrated_database(prefix: str, owner: str = OWNER) -> Iterator[str]:
    """The name of a new database as `migrate` leaves it, whose roles can log in."""
    with database(prefix, owner) as name:
        with psycopg.connect(owner, autocommit=True) as cluster:
            # Roles belong to the whole cluster, and test processes run side by side.
            cluster.execute("SELECT pg_advisory_lock(1)")
            passwords = dict.fromkeys(ROLE_UIDS, PASSWORD)
            migrate(make_conninfo(owner, dbname=name), passwords, datetime.now(UTC))
            cluster.execute(SERVER_RIGHTS)
        yield name


def as_role(name: str, role: str, owner: str = OWNER) -> str:
    """A connection string that logs in to a migrated database as a service does."""
    own = {"user": role, "password": PASSWORD} if role in ROLE_UIDS else {}
    return make_conninfo(owner, dbname=name, **own)


def service_environment(conninfo: str, folder: Path) -> dict[str, str]:
    """What tells a service where its database is and who it is; the password is in the folder."""
    where = conninfo_to_dict(conninfo)
    pgpass = folder / "pgpass"
    pgpass.write_text(passfile(str(where.get("password", "none"))))
    pgpass.chmod(0o600)  # libpq looks into no other
    return {
        "DATABASE_HOST": str(where["host"]),
        "DATABASE_PORT": str(where["port"]),
        "DATABASE_NAME": str(where["dbname"]),
        "DATABASE_USER": str(where["user"]),
        "DATABASE_PASSFILE": str(pgpass),
    }

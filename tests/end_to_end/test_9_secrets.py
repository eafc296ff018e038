"""A password changes and nobody is locked out; lost ones are made anew and fit again."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.drill.ingest import await_postgres
from tests.end_to_end.conftest import Stack
from tests.end_to_end.test_6_faults import assert_it_goes_on_and_balances
from tests.engine import docker
from tests.ports import free_port
from tests.waiting import eventually

IMAGE = f"{os.environ.get('IMAGE_PREFIX', 'marquee-test')}/postgres"
START = 'printf %s "$PASSWORD" > /run/secrets/postgres && exec start-postgres'
ROLES = ("ingest", "retention", "trainer", "recommender", "evaluation", "releaser", "analyst")


def rotate(stack: Stack, name: str) -> None:
    """As `make rotate NAME=…` does it."""
    command = ("python", "-m", "compose.migrate", "rotate", name)
    stack.compose("run", "--rm", "--no-deps", "-T", "rotate", *command)


def disconnect(stack: Stack) -> None:
    """End every session of a service: each has to log in anew."""
    stack.sql_as_owner(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE usename = ANY('{{{','.join(ROLES)}}}')"
    )


def test_after_every_password_changed_services_that_lost_their_sessions_go_on(stack):
    before = {name: stack.secret(name) for name in (*ROLES, "postgres")}
    for name in before:
        rotate(stack, name)
    assert all(stack.secret(name) != password for name, password in before.items())
    started = {role: stack.container(role)["State"]["StartedAt"] for role in ("ingest", "trainer")}

    disconnect(stack)

    assert_it_goes_on_and_balances(stack)
    stack.recommend(42)
    eventually(
        lambda: stack.sql("SELECT 1 FROM receipt WHERE time > now() - interval '5 s' LIMIT 1"),
        30,
        "receipts stored with the new password",
    )
    assert started == {role: stack.container(role)["State"]["StartedAt"] for role in started}


def test_the_old_password_no_longer_lets_in(stack):
    old = stack.secret("analyst")
    rotate(stack, "analyst")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(stack.conninfo("analyst", old))


def test_roles_are_given_their_passwords_again_by_the_next_start(stack):
    stack.sql_as_owner("ALTER ROLE trainer PASSWORD NULL")
    stack.compose("up", "--no-build", "--no-log-prefix", "migrate")
    psycopg.connect(stack.conninfo("trainer", stack.secret("trainer"))).close()


@pytest.fixture
def data() -> Iterator[str]:
    """A volume for a database; it is gone afterwards."""
    name = f"drill-{uuid.uuid4().hex[:8]}"
    docker("volume", "create", name)
    yield name
    docker("volume", "rm", "--force", name)


@contextmanager
def server(data: str, password: str) -> Iterator[str]:
    """A server on this volume, where the secrets volume holds this password: its conninfo."""
    port = free_port()
    container = docker(
        *("run", "--detach", "--publish", f"127.0.0.1:{port}:5432", "--stop-signal=SIGINT"),
        *(f"--volume={data}:/var/lib/postgresql/data", "--tmpfs=/run/secrets:uid=999"),
        *("--user=999:999", f"--env=PASSWORD={password}", "--entrypoint=sh", IMAGE, "-c", START),
    ).strip()
    conninfo = f"host=127.0.0.1 port={port} user=marquee dbname=marquee password={password}"
    try:
        await_postgres(conninfo)
        yield conninfo
        docker("kill", "--signal=KILL", container)
    finally:
        docker("rm", "--force", container)


def test_a_database_takes_the_owners_password_that_the_secrets_volume_has_now(data):
    with server(data, "the-first") as conninfo, psycopg.connect(conninfo) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    with server(data, "it's-new") as conninfo, psycopg.connect(conninfo) as connection:
        assert connection.execute("SELECT one FROM kept").fetchall() == [(1,)]

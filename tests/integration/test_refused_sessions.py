"""Commands that the database refuses or sends away say so in one line."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from procrastinate.exceptions import ConnectorException
from psycopg.conninfo import make_conninfo

from compose.service.command_line import run
from compose.service.jobs import defer, job_app, job_status
from tests.stores import service_environment


def said_by(command) -> str:
    """What a command says that the database does not answer."""
    with pytest.raises(SystemExit) as ended:
        run(command)
    words = str(ended.value)
    assert len(words.splitlines()) == 1, words
    return words.removeprefix("the database does not answer: ")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"password": "another"}, 'password authentication failed for user "releaser"'),
        ({"dbname": "no_such"}, 'database "no_such" does not exist'),
    ],
)
def test_a_session_that_is_refused_is_one_line(conninfo, wrong, why):
    words = said_by(lambda: psycopg.connect(conninfo("releaser"), **wrong))
    assert words.startswith("connection failed: ")
    assert why in words


def test_a_session_that_is_ended_is_one_line(conninfo, owner):
    def ask() -> None:
        with psycopg.connect(conninfo("releaser"), autocommit=True) as connection:
            owner.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
            job_status(connection, 1)

    assert said_by(ask).startswith("terminating connection due to administrator command")


def test_a_session_that_is_ended_while_a_job_is_asked_for_is_one_line(conninfo, owner):
    owner.execute(
        "CREATE FUNCTION end_session() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN new; END $$"
    )
    owner.execute(
        "CREATE TRIGGER end_session BEFORE INSERT ON procrastinate_jobs"
        " FOR EACH ROW EXECUTE FUNCTION end_session()"
    )
    words = said_by(lambda: defer(job_app(conninfo("releaser")), "release", "release"))
    assert words.startswith("terminating connection due to administrator command")


def test_what_a_role_may_not_ask_for_is_no_database_out_of_reach(conninfo):
    with pytest.raises(ConnectorException):
        run(lambda: defer(job_app(conninfo("analyst")), "release", "release"))


@pytest.mark.parametrize("command", [(), ("roles",), ("rotate", "ingest")], ids=" ".join)
def test_migrate_says_what_helps_where_the_owners_password_is_another(
    conninfo, tmp_path: Path, command
):
    """As after the loss of the secrets volume under a server that runs on."""
    verifiers = tmp_path / "role-verifiers"
    verifiers.write_text("{}")
    as_owner = make_conninfo(conninfo("marquee"), password="made anew")  # noqa: S106 -- a wrong one
    said = subprocess.run(
        [sys.executable, "-m", "compose.migrate", *command],
        env=os.environ
        | service_environment(as_owner, tmp_path)
        | {"ROLE_VERIFIERS_FILE": str(verifiers)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert said.returncode == 1
    assert said.stderr == (
        "PostgreSQL does not take its owner's password. It learns a new one when it starts:"
        " docker compose restart postgres, then: make up\n"
    )

"""Which code each slot got is recorded by the releaser's rights, and told in the story."""

import psycopg
import pytest
from typer.testing import CliRunner

from ci.__main__ import cli
from tests.ports import free_port
from tests.stores import service_environment

IMAGE = "marquee/recommender:0123456789ab-0123456789ab"


@pytest.fixture
def record(conninfo, tmp_path):
    """Call the command that a release of code calls; how it ended, and what it printed."""
    environment = service_environment(conninfo("releaser"), tmp_path)

    def call(*given, **other):
        done = CliRunner().invoke(cli, ["record-code", *given], env=environment | other)
        return done.exit_code, done.output

    return call


def test_the_story_tells_which_code_each_slot_got(record, conninfo):
    assert record("green", IMAGE, "sha256:1") == (0, "")
    assert record("blue", IMAGE, "sha256:1", "--outcome", "taken back") == (0, "")
    with psycopg.connect(conninfo("analyst")) as analyst:
        told = analyst.execute("SELECT sentence, evidence FROM story ORDER BY at").fetchall()
    assert told == [
        (f"Slot green got the code of {IMAGE}.", "code_release: 1"),
        (
            f"Slot blue did not get ready with the code of {IMAGE}; it has its own again.",
            "code_release: 2",
        ),
    ]


def test_without_a_database_that_is_said_and_the_command_fails(record):
    code, said = record("green", IMAGE, "sha256:1", DATABASE_PORT=str(free_port()))
    assert code == 1
    assert "the database does not answer" in said

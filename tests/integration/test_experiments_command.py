"""What is shown of experiments, from a real database with the rights of a stack's."""

from xml.etree import ElementTree as ET

import psycopg
import pytest
from typer.testing import CliRunner

from monitoring.__main__ import app
from tests.stores import service_environment


@pytest.fixture
def owner(conninfo, monkeypatch, tmp_path):
    for name, value in service_environment(conninfo("evaluation"), tmp_path).items():
        monkeypatch.setenv(name, value)
    with psycopg.connect(conninfo("marquee"), autocommit=True) as connection:
        yield connection


def begin(owner, name):
    owner.execute(
        "WITH begun AS (INSERT INTO experiment (name, control, challenger, challenger_slot, salt,"
        " seed, horizon, margin, largest_sample) VALUES (%s, 'v1', 'v2', 'green', 's', 1,"
        " '1 day', 0.05, 2000) RETURNING experiment_id)"
        " INSERT INTO experiment_stratum SELECT experiment_id, 1, 2, '{7,9}', now() FROM begun",
        (name,),
    )


def look(owner, minute, low, verdict):
    owner.execute(
        "INSERT INTO experiment_look SELECT max(experiment_id), now() + %s * interval '1 minute',"
        " 'people_watching', 900, 100, 0.3, 0.3, 0.05, %s, 0.2, %s, 'as people did'"
        " FROM experiment",
        (minute, low, verdict),
    )


def run(*arguments):
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_newest_is_told_in_a_sentence_below_a_table_of_all(owner):
    begin(owner, "first")
    begin(owner, "bolder")
    look(owner, 1, -0.1, "undecided")
    look(owner, 2, 0.01, "better")
    lines = run("experiments").splitlines()
    assert any("first" in line for line in lines)
    assert lines[-1] == "bolder, challenger v2: as people did; it goes on."


@pytest.mark.usefixtures("owner")
def test_without_any_it_says_how_to_begin_one():
    assert "make experiment CHALLENGER=" in run("experiments")
    assert run("experiment-plot") == ""


def test_the_plot_is_of_the_newest_or_of_the_one_that_is_named(owner):
    begin(owner, "first")
    begin(owner, "bolder")
    look(owner, 1, -0.1, "undecided")
    newest = run("experiment-plot")
    assert ET.fromstring(newest.encode()).tag.endswith("svg")  # noqa: S314 -- our own, made just now
    assert "bolder: undecided" in newest
    number = owner.execute("SELECT min(experiment_id) FROM experiment").fetchone()[0]
    assert "first: not looked at yet" in run("experiment-plot", str(number))


def test_an_experiment_that_does_not_exist_is_said_in_one_line(owner):
    del owner
    done = CliRunner().invoke(app, ["experiment-plot", "4711"])
    assert done.exit_code == 2
    assert "there is no such experiment" in done.stderr

"""The gate as a command: what it prints and ends with, from a real database."""

import json
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
import pytest
from typer.testing import CliRunner

from monitoring.__main__ import app
from tests.ports import free_port
from tests.stores import service_environment

VERSION = "20260102-000000-ease"


def prometheus(up):
    """Answers every query with one value: whether a slot was read."""
    found = {"data": {"result": [{"metric": {}, "value": [0, up]}]}}
    return answering(json.dumps(found).encode())


@contextmanager
def answering(page):
    """Answers every query with this page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def owner(conninfo, monkeypatch, tmp_path):
    for name, value in service_environment(conninfo("evaluation"), tmp_path).items():
        monkeypatch.setenv(name, value)
    with psycopg.connect(conninfo("marquee"), autocommit=True) as connection:
        connection.execute(
            "INSERT INTO model_version (version, algorithm, git_commit, data_hash, interactions,"
            " users, movies, figures, manifest, verdict, reason)"
            " VALUES (%s, 'ease', 'c', 'd', 1, 1, 1, '{}', '{}', 'accepted', 'better')",
            (VERSION,),
        )
        yield connection


def look(owner, verdict, low, high):
    owner.execute(
        "WITH begun AS (INSERT INTO experiment (name, control, challenger, challenger_slot, salt,"
        " seed, horizon, margin, largest_sample) VALUES ('bolder', 'v1', %s, 'green', 's', 1,"
        " '1 day', 0.05, 2000) RETURNING experiment_id)"
        " INSERT INTO experiment_look SELECT experiment_id, now(), 'people_watching', 900, 100,"
        " 0.3, 0.3, 0, %s, %s, %s, 'as people did' FROM begun",
        (VERSION, low, high, verdict),
    )


def ask(monkeypatch, url, version=VERSION):
    monkeypatch.setenv("PROMETHEUS_URL", url)
    return CliRunner().invoke(app, ["gate", version])


@pytest.mark.parametrize(
    ("found", "decision", "status"),
    [
        (("better", 0.02, 0.4), "go", 0),
        (("undecided", -0.2, 0.4), "wait", 3),
        (("worse", -0.9, -0.4), "stop", 1),
    ],
)
def test_it_prints_one_line_and_ends_with_the_decision(owner, monkeypatch, found, decision, status):
    look(owner, *found)
    with prometheus("1") as url:
        done = ask(monkeypatch, url)
    assert done.exit_code == status
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    assert (told["decision"], told["figures"]["low"]) == (decision, found[1])


def test_without_an_experiment_it_waits(owner, monkeypatch):
    del owner
    with prometheus("1") as url:
        done = ask(monkeypatch, url)
    assert (done.exit_code, json.loads(done.stdout)["decision"]) == (3, "wait")


def test_a_slot_that_cannot_be_read_is_waited_for_by_name(owner, monkeypatch):
    look(owner, "better", 0.02, 0.4)
    with prometheus("0") as url:
        done = ask(monkeypatch, url)
    assert done.exit_code == 3
    assert "recommender-blue cannot be read" in json.loads(done.stdout)["reason"]


def test_without_prometheus_it_waits_and_says_so(owner, monkeypatch):
    look(owner, "better", 0.02, 0.4)
    done = ask(monkeypatch, f"http://127.0.0.1:{free_port()}")
    assert done.exit_code == 3
    assert "whether the slots are well is unknown" in json.loads(done.stdout)["reason"]


@pytest.mark.parametrize(
    "page",
    [
        b"<html>it starts</html>",
        b"",
        b'{"status": "error", "errorType": "timeout", "error": "too long"}',
        b'{"data": null}',
        b'{"data": {"result": [{"metric": {}, "value": [0, "up"]}]}}',
        b"\xff",
    ],
    ids=["a page", "nothing", "an error", "no data", "no number", "no text"],
)
def test_what_prometheus_did_not_mean_to_say_is_waited_for(owner, monkeypatch, page):
    look(owner, "better", 0.02, 0.4)
    with answering(page) as url:
        done = ask(monkeypatch, url)
    assert done.exit_code == 3
    told = json.loads(done.stdout)
    assert f"whether the slots are well is unknown: {url} did not answer" in told["reason"]
    assert told["figures"]["verdict"] == "better"


@pytest.mark.parametrize(
    "away", [{"DATABASE_PORT": str(free_port())}, {"DATABASE_USER": "stranger"}]
)
def test_without_the_database_it_waits_and_says_so(owner, monkeypatch, away):
    look(owner, "worse", -0.9, -0.4)
    for name, value in away.items():
        monkeypatch.setenv(name, value)
    with prometheus("1") as url:
        done = ask(monkeypatch, url)
    assert done.exit_code == 3
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    assert (told["decision"], told["figures"]) == ("wait", {})
    assert told["reason"].startswith("the database cannot be read: connection failed")


def end(owner, **ago):
    """The experiment ended so long ago, after a day."""
    owner.execute(
        "UPDATE experiment SET started_at = now() - %s, ended_at = now() - %s,"
        " end_reason = 'better: as people did'",
        (timedelta(days=1) + timedelta(**ago), timedelta(**ago)),
    )


def step(owner, version, step, action="release", **ago):
    owner.execute(
        "INSERT INTO deployment (at, action, step, version, slot, share, reason)"
        " VALUES (now() - %s, %s, %s, %s, 'green', 0, 'so it was')",
        (timedelta(**ago), action, step, version),
    )


def decision(monkeypatch):
    with prometheus("1") as url:
        return json.loads(ask(monkeypatch, url).stdout)


@pytest.mark.parametrize("verdict", ["better", "worse"])
def test_what_people_did_in_an_experiment_that_is_over_is_no_evidence(owner, monkeypatch, verdict):
    """What was live then is not, and the version has left its slot."""
    look(owner, verdict, 0.02, 0.4)
    end(owner, days=30)
    told = decision(monkeypatch)
    assert told["decision"] == "wait"
    assert told["reason"].startswith("nobody is asked about it now: bolder ended at 2")


def test_a_release_under_way_goes_by_its_own_experiment_also_after_that_ended(owner, monkeypatch):
    look(owner, "better", 0.02, 0.4)
    end(owner)
    step(owner, VERSION, "start", days=2)
    step(owner, VERSION, "watch")
    assert decision(monkeypatch)["decision"] == "go"


@pytest.mark.parametrize(
    "steps",
    [
        [(VERSION, "start"), (VERSION, "watch"), (VERSION, "promote")],
        [(VERSION, "start"), (VERSION, "watch"), (VERSION, "abort")],
        [(VERSION, "start"), ("another", "start"), ("another", "watch")],
        [(VERSION, "start", "rollback")],
    ],
    ids=["went live", "was given up", "another's", "a rollback"],
)
def test_a_release_that_is_over_is_none_that_is_going_on(owner, monkeypatch, steps):
    look(owner, "better", 0.02, 0.4)
    end(owner)
    for one in steps:
        step(owner, *one, days=2)
    assert decision(monkeypatch)["decision"] == "wait"


def test_a_release_under_way_does_not_go_by_what_was_before_it(owner, monkeypatch):
    look(owner, "better", 0.02, 0.4)
    end(owner, days=1)
    step(owner, VERSION, "start", hours=1)
    step(owner, VERSION, "watch")
    assert decision(monkeypatch)["decision"] == "wait"


def test_a_version_that_does_not_exist_is_said_in_one_line(owner, monkeypatch):
    del owner
    done = ask(monkeypatch, "http://127.0.0.1:1", "v0")
    assert done.exit_code == 2
    assert "there is no version v0" in done.stderr

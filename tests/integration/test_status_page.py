"""The status page from a real database, behind the real Nginx."""

import http.client
import json
import os
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from monitoring.evaluation.evaluation_pass import run_pass
from monitoring.evaluation.windows import Terms
from monitoring.page.database import read_content
from monitoring.page.publisher import LAST_KNOWN_NAME, NAME, Publisher, prepare
from monitoring.settings import Settings
from tests.integration.serving import nginx
from tests.ports import free_port
from tests.stores import service_environment
from tests.waiting import eventually

PERSON = 987_654_321
NOWHERE = "http://127.0.0.1:1"
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture
def publisher(conninfo, tmp_path, monkeypatch):
    for name, value in service_environment(conninfo("evaluation"), tmp_path).items():
        monkeypatch.setenv(name, value)
    settings = Settings(page_root=tmp_path / "page", prometheus_url=NOWHERE)
    prepare(settings)
    return Publisher(settings)


@pytest.fixture
def released(conninfo):
    with psycopg.connect(conninfo("marquee"), autocommit=True) as owner:
        for step, share in (("start", 0), ("shift", 100), ("promote", 1000)):
            owner.execute(
                "INSERT INTO deployment (action, step, version, slot, share, live_version,"
                " live_slot, reason) VALUES ('release', %s, 'v2', 'green', %s, 'v2', 'green', '')",
                (step, share),
            )


@pytest.fixture
def loopback_port():
    return free_port()


@pytest.fixture
def door(tmp_path, loopback_port):
    other = {"listen 8083": f"listen 127.0.0.1:{loopback_port}"}
    with nginx(tmp_path, tmp_path / "state", free_port(), free_port(), other) as running:
        yield running


def ask(port, accept, path="/status"):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", path, headers={"Accept": accept})
        answer = connection.getresponse()
        return answer, answer.read().decode()


@pytest.fixture
def trained(conninfo):
    judged = {"ease": (0.18, 0.20), "popularity": (0.08, 0.10), "svd": None}
    algorithms = {
        name: {"ndcg20": {"value": sum(ends) / 2, "low": ends[0], "high": ends[1]}} if ends else {}
        for name, ends in judged.items()
    }
    with psycopg.connect(conninfo("marquee"), autocommit=True) as owner:
        owner.execute(
            "INSERT INTO model_version (version, algorithm, git_commit, data_hash, interactions,"
            " users, movies, figures, manifest, verdict, reason)"
            " VALUES ('v2', 'ease', 'c', 'd', 1, 1, 4, %s, '{}', 'accepted', 'better')",
            (json.dumps({"algorithms": algorithms}),),
        )


@pytest.mark.usefixtures("trained")
def test_the_newest_version_tells_all_that_was_judged_with_it(publisher, conninfo):
    with psycopg.connect(conninfo("evaluation"), autocommit=True) as connection:
        (version,) = read_content(connection, None, datetime.now(UTC)).versions
    assert (version.judged, version.lows, version.highs) == (
        ["popularity", "ease"],
        [0.08, 0.18],
        [0.10, 0.20],
    )
    publisher.publish(datetime.now(UTC))
    assert "all that was tried" in (publisher.settings.page_folder / NAME).read_text()


@pytest.mark.usefixtures("released")
def test_a_browser_gets_the_page_and_a_program_gets_json(publisher, door):
    publisher.publish(datetime.now(UTC))
    page, text = ask(door.port, BROWSER)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "v2 is live in slot green" in text
    assert ask(door.port, "application/json")[1].startswith('{"service":"marquee"')


@pytest.mark.parametrize("accept", [BROWSER, "application/json", "*/*"])
def test_a_cache_keeps_neither_the_page_nor_json_nor_takes_one_for_the_other(
    publisher, door, accept
):
    publisher.publish(datetime.now(UTC))
    answer, text = ask(door.port, accept)
    assert text.startswith("<!DOCTYPE html>" if accept == BROWSER else '{"service":"marquee"')
    assert answer.headers.get_all("Vary") == ["Accept"]
    assert answer.headers.get_all("Cache-Control") == ["no-store"]


def test_a_page_for_this_host_alone_is_not_on_the_public_port(publisher, door):
    publisher.publish(datetime.now(UTC))
    loopback = publisher.settings.model_copy(update={"status_page": "loopback"})
    prepare(loopback)
    Publisher(loopback).publish(datetime.now(UTC))
    assert ask(door.port, BROWSER)[1].startswith('{"service":"marquee"')
    assert (loopback.page_root / "loopback" / "status.html").exists()


@pytest.mark.parametrize("shown_to", ["public", "loopback"])
def test_what_to_do_when_is_a_page_for_this_host_alone(publisher, door, loopback_port, shown_to):
    prepare(publisher.settings.model_copy(update={"status_page": shown_to}))
    page, text = ask(loopback_port, BROWSER, "/status/operations")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert '<h2 id="each-alert">Each alert</h2>' in text
    assert ask(door.port, BROWSER, "/status/operations")[0].status == 404


@pytest.mark.usefixtures("released")
def test_with_the_database_away_the_last_page_stays_and_says_so(publisher):
    page = publisher.settings.page_folder / "status.html"
    publisher.publish(datetime.now(UTC))
    publisher.settings = publisher.settings.model_copy(update={"database_port": free_port()})
    publisher.publish(datetime.now(UTC))
    assert "The database does not answer since" in page.read_text()
    assert "v2 is live in slot green" in page.read_text()


@pytest.mark.usefixtures("released")
def test_a_service_that_starts_with_the_database_away_says_so_on_the_page(publisher, tmp_path):
    publisher.publish(datetime.now(UTC))
    page = publisher.settings.page_folder / NAME
    environment = os.environ | {
        "PAGE_ROOT": str(publisher.settings.page_root),
        "PROMETHEUS_URL": NOWHERE,
        "DATABASE_PORT": str(free_port()),
        "HEARTBEAT_FILE": str(tmp_path / "heartbeat"),
        "METRICS_PORT": str(free_port()),
    }
    command = [sys.executable, "-m", "monitoring", "evaluate", "work"]
    with subprocess.Popen(command, env=environment) as service:
        eventually(lambda: "does not answer since" in page.read_text(), 60, "a page that says so")
        service.kill()
    assert "v2 is live in slot green" in page.read_text()
    assert "Marquee: not well" in page.read_text()


def test_what_was_last_known_by_other_code_is_left_alone(publisher):
    publisher.publish(datetime.now(UTC))
    known = publisher.settings.page_root / LAST_KNOWN_NAME
    known.write_text('{"at": "2026-01-31T10:00:00Z"}')
    page = publisher.settings.page_folder / NAME
    before = page.read_text()
    away = publisher.settings.model_copy(update={"database_port": free_port()})
    Publisher(away).publish(datetime.now(UTC))
    assert page.read_text() == before


@pytest.fixture
def judged(conninfo):
    """An answer to one person, who watched something of it."""
    with psycopg.connect(conninfo("marquee"), autocommit=True) as owner:
        owner.execute(
            "INSERT INTO receipt VALUES (gen_random_uuid(), now() - interval '10 min', %s,"
            " ARRAY['a'], 'v2', 'green', 0, 'control', 'model', 1)",
            (PERSON,),
        )
        owner.execute(
            "INSERT INTO watch VALUES (now() - interval '590 s', %s, 'a', 0, 0, 0),"
            " (now(), %s, 'b', 0, 0, 999)",
            (PERSON, PERSON),
        )
        owner.execute("INSERT INTO stream_offset VALUES ('log', 0, 0, 1000)")
    minute = timedelta(minutes=1)
    with psycopg.connect(conninfo("evaluation"), autocommit=True) as connection:
        run_pass(connection, Terms(minute, minute, minute), datetime.now(UTC), lambda: False)


@pytest.mark.usefixtures("released", "trained", "judged")
def test_nobody_is_named_on_the_page(publisher):
    publisher.publish(datetime.now(UTC))
    text = (publisher.settings.page_folder / NAME).read_text()
    assert "answers that led to watching" in text
    assert str(PERSON) not in text
    assert str(PERSON) not in (publisher.settings.page_root / LAST_KNOWN_NAME).read_text()


def test_with_the_database_away_from_the_start_there_is_no_page(publisher):
    publisher.settings = publisher.settings.model_copy(update={"database_port": free_port()})
    publisher.publish(datetime.now(UTC))
    assert not (publisher.settings.page_folder / "status.html").exists()

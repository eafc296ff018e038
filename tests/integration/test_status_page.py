"""The status page from a real database, behind the real Nginx."""

import http.client
import json
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest

from monitoring.page.database import read_content
from monitoring.page.publisher import NAME, Publisher, prepare
from monitoring.settings import Settings
from tests.integration.serving import nginx
from tests.ports import free_port
from tests.stores import service_environment

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


def test_with_the_database_away_from_the_start_there_is_no_page(publisher):
    publisher.settings = publisher.settings.model_copy(update={"database_port": free_port()})
    publisher.publish(datetime.now(UTC))
    assert not (publisher.settings.page_folder / "status.html").exists()

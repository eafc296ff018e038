"""A metadata API with short addresses, odd texts, and answers that are none."""

import json
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
import pytest

from ingest.catalogue import discovery
from ingest.catalogue.discovery import ask_api, describe, discover
from ingest.errors import MetadataError, TooManyIdsError
from ingest.lines.grammar import Watched
from tests.integration.test_retention import NOW, land


@pytest.fixture
def retention(conninfo):
    with psycopg.connect(conninfo("retention"), autocommit=True) as connection:
        yield connection


class Quiet(BaseHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def serving(handler):
    """An HTTP server that answers so; its address."""
    with ThreadingHTTPServer(("localhost", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()


def learnt_titles(conninfo):
    with psycopg.connect(conninfo("trainer")) as connection:
        return dict(connection.execute("SELECT movie_id, title FROM movie").fetchall())


def echo_api(longest):
    """An API that knows every movie by its id, and takes addresses of at most so many bytes."""

    def ask(path):
        if len(path) > longest:
            raise TooManyIdsError(f"{path[:100]}: HTTP Error 414")
        ids = path.removeprefix("movie/").split(",")
        said = [{"id": one, "title": one.upper()} for one in ids]
        return said if len(ids) > 1 else said[0]

    return ask


@pytest.mark.parametrize("longest", [1_000_000, 600, 100])
def test_an_api_is_asked_about_no_more_than_its_addresses_hold(
    conninfo, retention, longest, monkeypatch
):
    monkeypatch.setattr(discovery, "SECONDS_BETWEEN_QUESTIONS", 0)
    movies = [f"{number:03}{'x' * 60}" for number in range(120)]
    land(conninfo, [Watched(NOW, 1, movie, 1) for movie in movies])
    discover(retention)
    for _ in range(10):  # a run asks a bounded number of questions
        describe(retention, lambda path: path.startswith("user") or echo_api(longest)(path), NOW)
    assert learnt_titles(conninfo) == {movie: movie.upper() for movie in movies}


def test_an_id_that_no_address_holds_is_in_no_other_s_way(conninfo, retention, monkeypatch):
    monkeypatch.setattr(discovery, "SECONDS_BETWEEN_QUESTIONS", 0)
    movies = ["a" * 200, "b", "c"]
    land(conninfo, [Watched(NOW, 1, movie, 1) for movie in movies])
    discover(retention)
    describe(retention, lambda path: path.startswith("user") or echo_api(100)(path), NOW)
    assert learnt_titles(conninfo) == {"a" * 200: None, "b": "B", "c": "C"}


def test_an_api_that_refuses_long_addresses_is_asked_for_less(conninfo, retention):
    class Handler(Quiet):
        def do_GET(self):
            ids = self.path.removeprefix("/movie/").split(",")
            self.send_response(414 if len(ids) > 1 else 200)
            self.end_headers()
            self.wfile.write(json.dumps({"id": ids[0], "title": "U\ud83dp"}).encode())

    land(conninfo, [Watched(NOW, 1, movie, 1) for movie in ("a", "b", "c")])
    discover(retention)
    with serving(Handler) as root:
        describe(retention, ask_api(root), NOW)
    assert learnt_titles(conninfo) == dict.fromkeys(("a", "b", "c"), "U\ufffdp")


@pytest.mark.parametrize("answer", [b"[" * 100_000, b"{", b"", b'"' + b"x" * 2**24 + b'"'])
def test_an_answer_that_is_none_is_said_to_be_none(answer):
    class Handler(Quiet):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(answer)

    with serving(Handler) as root, pytest.raises(MetadataError):
        ask_api(root)("movie/a")

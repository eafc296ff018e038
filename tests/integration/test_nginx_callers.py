"""What one caller can do to others through Nginx, in front of slots that the test plays.

Each address of the loopback but 127.0.0.1 is a caller of its own; that one stands where the
engine's proxy stands on a stack: at the first address of Nginx's network.
"""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.integration.serving import ask, nginx
from tests.integration.test_nginx import POPULAR, put_popular_lists
from tests.waiting import eventually

SHARE, ENGINES_SHARE = 32, 256
SLOW_USER = 13
CALLER, OTHER, ENGINE = "127.0.0.7", "127.0.0.8", "127.0.0.1"


def waiting(seconds):
    """Nginx's files, but for how long it waits for a slot: a busy machine's takes its time."""
    return {"timeout 50ms": f"timeout {seconds}", "timeout 220ms": f"timeout {seconds}"}


PATIENT = waiting("60s")


class PlayedSlot(ThreadingHTTPServer):
    """Answers everybody with its name at once, but for one user when it is let go."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, name):
        super().__init__(("127.0.0.1", 0), Handler)
        self.name = name
        self.accepted = []
        self.slow = 0
        self.let_go = threading.Event()
        self.lock = threading.Lock()

    @property
    def port(self):
        return self.server_address[1]


class Handler(BaseHTTPRequestHandler):
    server: PlayedSlot
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        slot = self.server
        with slot.lock:
            slot.accepted.append(self.headers.get_all("Accept"))
        if self.path == f"/recommend/{SLOW_USER}":
            with slot.lock:
                slot.slow += 1
            slot.let_go.wait(60)
        body = f"{slot.name}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            """Nginx did not wait."""


@contextmanager
def played(name):
    with PlayedSlot(name) as slot:
        thread = threading.Thread(target=slot.serve_forever)
        thread.start()
        try:
            yield slot
        finally:
            slot.let_go.set()
            slot.shutdown()
            thread.join()


@pytest.fixture
def both():
    with ExitStack() as stack:
        yield tuple(stack.enter_context(played(name)) for name in ("blue", "green"))


@pytest.fixture
def door(tmp_path, both):
    """Nginx that waits for a slot until it is let go, however busy the machine is."""
    blue, green = both
    put_popular_lists(tmp_path / "state")
    with nginx(tmp_path, tmp_path / "state", blue.port, green.port, PATIENT) as running:
        yield running


@contextmanager
def at_once(door, number, source):
    """So many requests at the same time for what a slot holds; statuses and bodies to come."""

    def one():
        status, _headers, body = ask(door.port, f"/recommend/{SLOW_USER}", source=source)
        return status, body

    with ThreadPoolExecutor(number) as callers:
        yield [callers.submit(one) for _ in range(number)]


def let_go(slots):
    for slot in slots:
        slot.let_go.set()


def done(answers):
    return [answer.result() for answer in answers if answer.done()]


@pytest.mark.parametrize(
    ("accept", "sent"),
    [
        ("", "text/plain"),
        ("*/*", "text/plain"),
        ("text/html, */*;q=0.8", "text/plain"),
        ("application/json", "application/json"),
        ("Application/JSON", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        ("text/html,application/json , */*", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        ("text/plain;q=0.5, application/json", "application/json"),
        ("text/plain;q=0.5, application/json;q=0.6", "application/json"),
        ("application/json;q=0.9, */*;q=0.8", "application/json"),
        ("application/json;q=0.5", "application/json"),
        ("application/json;v=1;q=0.5, text/*;q=0.50", "application/json"),
        ("text/plain, application/json;q=0.5", "text/plain"),
        ("text/*, application/json;q=0.9", "text/plain"),
        ("application/json;q=0.1, */*", "text/plain"),
        ("application/json;q=0.5, text/plain;q=0.7, */*;q=0", "text/plain"),
        ("text/html, application/json;q=0", "text/plain"),
        ("application/json;q=0.000", "text/plain"),
        ("application/jsonx", "text/plain"),
        ("x-application/json", "text/plain"),
        ("json", "text/plain"),
        ("application/json" + ";x=y" * 100, "text/plain"),
        ("," * 8000, "text/plain"),
    ],
)
def test_the_slot_is_sent_one_of_two_accept_values_whatever_the_caller_wrote(
    door, both, accept, sent
):
    ask(door.port, "/recommend/7", headers={"Accept": accept})

    assert both[0].accepted == [[sent]]


def test_three_accept_lines_of_8_kb_reach_the_slot_as_one_short_one(door, both):
    line = b"Accept: " + b"application/json;q=0.9," * 340 + b"x\r\n"
    request = b"GET /recommend/7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n" % (line * 3)
    with socket.create_connection(("127.0.0.1", door.port), timeout=5) as connection:
        connection.sendall(request)
        assert connection.recv(100).startswith(b"HTTP/1.1 200")

    assert both[0].accepted == [["text/plain"]]


def test_a_slot_that_is_slow_for_one_user_is_not_down_for_others(tmp_path, both):
    """All of one caller's share run out of time, on one slot and then on the other."""
    blue, green = both
    put_popular_lists(tmp_path / "state")
    with (
        nginx(tmp_path, tmp_path / "state", blue.port, green.port, waiting("3s")) as door,
        at_once(door, SHARE, CALLER) as hurting,
    ):
        others = []
        while len(done(hurting)) < SHARE or len(others) < 100:
            others.append(ask(door.port, f"/recommend/{len(others) + 100}", source=OTHER))

    assert set(done(hurting)) == {(200, POPULAR)}
    assert blue.slow == green.slow == SHARE
    assert {body for _status, _headers, body in others} == {"blue\n"}


def test_over_its_share_an_address_gets_nginx_s_own_list_at_once(door, both):
    with at_once(door, 2 * SHARE, CALLER) as answers:
        eventually(lambda: len(done(answers)) == SHARE == both[0].slow, 60)
        assert set(done(answers)) == {(200, POPULAR)}
        let_go(both)

    assert done(answers).count((200, "blue\n")) == both[0].slow == SHARE


def test_without_a_list_of_its_own_nginx_says_that_it_was_too_many(tmp_path, both):
    blue, green = both
    with (
        nginx(tmp_path, tmp_path / "state", blue.port, green.port, PATIENT) as door,
        at_once(door, SHARE + 20, CALLER) as answers,
    ):
        eventually(lambda: len(done(answers)) == 20, 60)
        assert {status for status, _body in done(answers)} == {429}
        let_go(both)


def test_an_address_s_share_is_not_another_s(door, both):
    with at_once(door, 2 * SHARE, CALLER):
        eventually(lambda: both[0].slow == SHARE, 60)
        answer = ask(door.port, "/recommend/7", source=OTHER)
        let_go(both)

    assert answer[2] == "blue\n"


def test_people_behind_the_engine_s_proxy_are_not_one_address(door, both):
    with at_once(door, 2 * SHARE, ENGINE) as answers:
        eventually(lambda: both[0].slow == 2 * SHARE, 60)
        let_go(both)

    assert done(answers) == [(200, "blue\n")] * 2 * SHARE


def test_what_comes_by_way_of_the_engine_cannot_hold_all(door, both):
    with at_once(door, ENGINES_SHARE + 100, ENGINE) as answers:
        eventually(lambda: len(done(answers)) == 100, 60)
        answer = ask(door.port, "/recommend/7", source=OTHER)
        let_go(both)

    assert both[0].slow + both[1].slow == ENGINES_SHARE
    assert answer[2] in {"blue\n", "green\n"}


def test_whoever_hangs_up_holds_its_share_until_the_slot_is_done(door, both):
    for _ in range(3 * SHARE):
        with socket.create_connection(
            ("127.0.0.1", door.port), source_address=(CALLER, 0)
        ) as connection:
            connection.sendall(b"GET /recommend/%d HTTP/1.1\r\nHost: x\r\n\r\n" % SLOW_USER)
    eventually(lambda: both[0].slow == SHARE, 60)
    status, _headers, body = ask(door.port, f"/recommend/{SLOW_USER}", source=CALLER)
    let_go(both)

    assert (status, body, both[0].slow) == (200, POPULAR, SHARE)

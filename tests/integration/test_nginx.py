"""The real Nginx with the product's configuration, in front of real slots.

Every request is sent once: no client here tries again.
"""

import http.client
import json
import re
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count

import psycopg
import pytest

from ci.slots.popular_lists import publish_popular
from tests.integration.serving import ROOT, Slots, ask, get, nginx
from tests.ports import free_port
from tests.unit.recommender.versions import MOVIES, publish
from tests.waiting import eventually

BLUE_VERSION, GREEN_VERSION = "20260101-000000-ease", "20260102-000000-ease"
POPULAR_MOVIES = [f"popular+{number}+1999" for number in range(100)]
POPULAR = ",".join(POPULAR_MOVIES[:20]) + "\n"
LONG = "7" * 10_000
BAD_REQUESTS = {
    "letters": ("GET", "/recommend/abc", 400),
    "negative": ("GET", "/recommend/-1", 400),
    "fraction": ("GET", "/recommend/1.5", 400),
    "zero": ("GET", "/recommend/0", 400),
    "40 digits": ("GET", f"/recommend/{'7' * 40}", 400),
    "nul byte": ("GET", "/recommend/%00", 400),
    "newline": ("GET", "/recommend/7%0A", 400),
    "empty id": ("GET", "/recommend/", 400),
    "more path": ("GET", "/recommend/7/8", 400),
    "broken escape": ("GET", "/recommend/%zz", 400),
    "out of the root": ("GET", "/recommend/../../etc/passwd", 400),
    "10 kB path": ("GET", f"/recommend/{LONG}", 414),
    "no id": ("GET", "/recommend", 404),
    "root": ("GET", "/", 404),
    "slot metrics": ("GET", "/metrics", 404),
    "slot readiness": ("GET", "/readyz", 404),
    "slot health": ("GET", "/healthz", 404),
    "error page itself": ("GET", "/error", 404),
    "post": ("POST", "/recommend/7", 405),
    "put": ("PUT", "/recommend/7", 405),
    "delete": ("DELETE", "/recommend/7", 405),
    "patch": ("PATCH", "/recommend/7", 405),
    "options": ("OPTIONS", "/recommend/7", 405),
    "trace": ("TRACE", "/recommend/7", 405),
    "connect": ("CONNECT", "/recommend/7", 405),
    "unknown method": ("BREW", "/recommend/7", 405),
    "lower-case method": ("get", "/recommend/7", 400),
}


def top_lists(first):
    """Each of 200 users has the same list, which begins with this movie."""
    return dict.fromkeys(range(1, 201), range(first, first + 20))


def furnished(slots):
    """Put two versions and a popular list where slots and Nginx look for them."""
    publish(slots.models, BLUE_VERSION, top=top_lists(0))
    publish(slots.models, GREEN_VERSION, top=top_lists(30))
    put_popular_lists(slots.state)
    return slots


def put_popular_lists(state):
    """As a release does."""
    version = state.parent / "popular-models" / "versions" / BLUE_VERSION
    version.mkdir(parents=True)
    (version / "popular.txt").write_text(",".join(POPULAR_MOVIES) + "\n")
    publish_popular(state, version.parents[1], BLUE_VERSION)


def start_both(slots):
    """Start both slots at the same time."""
    both = slots.start("blue"), slots.start("green")
    for slot, version in zip(both, (BLUE_VERSION, GREEN_VERSION), strict=True):
        slot.assign(version)
    for slot, version in zip(both, (BLUE_VERSION, GREEN_VERSION), strict=True):
        eventually(lambda slot=slot, version=version: slot.answers_with(version))
    return both


@pytest.fixture(scope="module")
def slots(tmp_path_factory):
    """For tests that leave the slots as they found them; no database."""
    slots = furnished(Slots(tmp_path_factory.mktemp("slots")))
    yield slots
    slots.end()


@pytest.fixture(scope="module")
def both(slots):
    return start_both(slots)


@pytest.fixture
def door(tmp_path, slots, both):
    live = slots.state / "split" / "live"
    live.unlink(missing_ok=True)
    blue, green = both
    with nginx(tmp_path, slots.state, blue.port, green.port) as running:
        yield running


@pytest.fixture
def own_slots(tmp_path, conninfo):
    """For tests that kill slots or read receipts."""
    slots = furnished(Slots(tmp_path, conninfo("recommender")))
    yield slots
    slots.end()


@pytest.fixture
def own_both(own_slots):
    return start_both(own_slots)


@pytest.fixture
def own_door(tmp_path, own_slots, own_both):
    blue, green = own_both
    with nginx(tmp_path, own_slots.state, blue.port, green.port) as running:
        yield running


@pytest.fixture
def bare_door(tmp_path):
    """Nginx in front of nothing, with nothing of its own to answer."""
    with nginx(tmp_path, tmp_path / "state", free_port(), free_port()) as running:
        yield running


def split(state, name, buckets):
    """Make a split live, by a rename as a release does it."""
    directory = state / "split" / "splits" / name
    directory.mkdir(parents=True)
    for bucket in buckets:
        (directory / f"{bucket:03}").touch()
    link = state / "split" / f"live-{name}"
    link.symlink_to(f"splits/{name}")
    link.rename(state / "split" / "live")


def answered_by(body):
    return {MOVIES[0]: "blue", MOVIES[30]: "green"}.get(body.split(",")[0], "nginx")


def raw(port, data):
    """All bytes that come back for these bytes, until the other side closes or resets."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(data)
        with suppress(ConnectionResetError):
            while part := connection.recv(65536):
                received += part
    return received


class Asking:
    """Some connections that are kept and ask without a pause until told to stop."""

    def __init__(self, port):
        self.answers = []
        self._port = port
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(4)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        for turn in count(number):
            if self._stop.is_set():
                break
            try:
                connection.request("GET", f"/recommend/{turn % 200 + 1}")
                response = connection.getresponse()
                status, body = response.status, response.read().decode()
            except (OSError, http.client.HTTPException) as error:
                status, body = 0, repr(error)
            self.answers.append((status, body))
        connection.close()

    def count(self, by):
        return sum(answered_by(body) == by for _status, body in self.answers)

    def failed(self):
        return [(status, body) for status, body in self.answers if status != 200]


def test_the_buckets_are_what_their_generator_prints():
    generator = ROOT / "nginx" / "make_buckets.sh"
    printed = subprocess.run([generator], capture_output=True, text=True, check=True).stdout

    assert (ROOT / "nginx" / "buckets.conf").read_text() == printed


def test_without_a_split_blue_answers_all(door):
    bodies = [get(door.port, f"/recommend/{user}")[1] for user in range(1, 51)]

    assert {answered_by(body) for body in bodies} == {"blue"}


def test_a_marker_sends_its_bucket_to_green_and_no_other(door, slots):
    split(slots.state, "half", range(500))
    answers = {user: answered_by(get(door.port, f"/recommend/{user}")[1]) for user in range(1, 101)}
    door.process.terminate()
    door.process.wait()

    buckets = {int(line["user"]): int(line["bucket"]) for line in door.requests()}
    assert answers == {
        user: "green" if bucket < 500 else "blue" for user, bucket in buckets.items()
    }
    assert {"blue", "green"} == set(answers.values())


def test_leading_zeros_change_neither_user_nor_bucket(door):
    assert get(door.port, "/recommend/007") == get(door.port, "/recommend/7")
    door.process.terminate()
    door.process.wait()

    first, second = door.requests()
    assert (first["user"], first["bucket"]) == (second["user"], second["bucket"])


def test_receipts_hold_nginx_s_bucket_whatever_the_caller_says(own_door, conninfo):
    get(own_door.port, "/recommend/7", **{"X-Marquee-Bucket": "999", "X-Marquee-Anything": "x"})
    database = conninfo("marquee")
    eventually(lambda: receipts(database))
    own_door.process.terminate()
    own_door.process.wait()

    (line,) = own_door.requests()
    assert receipts(database) == [(7, int(line["bucket"]))]
    assert line["bucket"] != "999"


def receipts(database):
    with psycopg.connect(database) as connection:
        return connection.execute("SELECT user_id, bucket FROM receipt").fetchall()


def test_the_split_changes_under_load_without_a_failed_request(door, slots):
    with Asking(door.port) as clients:
        for turn in range(40):
            split(slots.state, f"turn-{turn}", range(1000) if turn % 2 else ())
            time.sleep(0.05)

    assert clients.failed() == []
    assert clients.count("blue") > 50
    assert clients.count("green") > 50


def test_every_answer_is_logged_and_leaves_one_receipt(own_door, conninfo):
    with Asking(own_door.port) as clients:
        time.sleep(2)
    database = conninfo("marquee")
    eventually(lambda: len(receipts(database)) == len(clients.answers))
    own_door.process.terminate()
    own_door.process.wait()

    assert clients.failed() == []
    assert [line["status"] for line in own_door.requests()] == [200] * len(clients.answers)


def test_a_slot_killed_under_load_fails_no_request_and_comes_back_without_a_reload(
    own_door, own_slots, own_both
):
    blue, _green = own_both
    with Asking(own_door.port) as clients:
        time.sleep(0.5)
        blue.kill()
        time.sleep(1)
        by_green = clients.count("green")
        own_slots.start("blue", BLUE_VERSION, blue.port)
        before = clients.count("blue")
        eventually(lambda: clients.count("blue") > before + 50, seconds=5)

    assert clients.failed() == []
    assert by_green > 50


def test_a_slot_that_is_replaced_under_load_fails_no_request_and_loses_no_receipt(
    own_door, own_slots, own_both, conninfo
):
    blue, _green = own_both
    with Asking(own_door.port) as clients:
        time.sleep(0.5)
        blue.stop()
        own_slots.start("blue", BLUE_VERSION, blue.port)
        before = clients.count("blue")
        eventually(lambda: clients.count("blue") > before + 50, seconds=5)
    for slot in own_slots.running[1:]:
        slot.stop()

    assert clients.failed() == []
    assert len(receipts(conninfo("marquee"))) == len(clients.answers)


def test_two_tries_and_our_own_list_end_before_callers_give_up():
    routes = (ROOT / "nginx" / "routes.conf").read_text()
    waits = re.findall(r"proxy_(?:connect|read)_timeout ([0-9]+)ms;", routes)
    (tries,) = re.findall(r"proxy_next_upstream_tries ([0-9]+);", routes)

    assert len(waits) == 2
    assert int(tries) * sum(map(int, waits)) < 600


def test_callers_of_a_slot_that_hangs_are_answered_by_the_other(door, both):
    blue, _green = both
    with Asking(door.port) as clients:
        time.sleep(0.3)
        blue.freeze()
        time.sleep(3)
        blue.thaw()

    assert clients.failed() == []
    assert "504, 200" in tried(door)


def tried(door):
    """What slots said to each request, one after the other; 504 where Nginx waited no longer."""
    door.process.terminate()
    door.process.wait()
    return {line["upstream_status"] for line in door.requests()}


def test_with_both_slots_killed_nginx_serves_the_popular_list(own_door, own_both):
    with Asking(own_door.port) as clients:
        time.sleep(0.3)
        for slot in own_both:
            slot.kill()
        time.sleep(1)

    assert clients.failed() == []
    assert get(own_door.port, "/recommend/7") == (200, POPULAR)


def test_with_both_slots_hanging_the_popular_list_comes_after_two_tries(door, both):
    for slot in both:
        slot.freeze()
    answer = get(door.port, "/recommend/7")
    for slot in both:
        slot.thaw()

    assert answer == (200, POPULAR)
    assert tried(door) == {"504, 504"}


def test_slots_without_a_model_leave_the_answer_to_the_popular_list(tmp_path):
    slots = Slots(tmp_path)
    put_popular_lists(slots.state)
    blue, green = slots.start("blue"), slots.start("green")
    for slot in (blue, green):
        eventually(lambda slot=slot: slot.readiness().get("ready") is False)
    with nginx(tmp_path, slots.state, blue.port, green.port) as door:
        answer = get(door.port, "/recommend/7")
    slots.end()

    assert answer == (200, POPULAR)


def test_the_popular_list_ignores_conditions_and_ranges(bare_door, tmp_path):
    put_popular_lists(tmp_path / "state")
    headers = {
        "If-None-Match": "*",
        "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT",
        "Range": "bytes=0-2",
    }

    assert get(bare_door.port, "/recommend/7", **headers) == (200, POPULAR)


def test_with_nothing_at_all_to_answer_nginx_says_so_in_one_line(bare_door):
    status, body = get(bare_door.port, "/recommend/7")

    assert (status, body.count("\n")) == (503, 1)


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_bad_request_gets_4xx_and_one_plain_line(bare_door, name):
    method, path, expected = BAD_REQUESTS[name]
    request = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    head, _, body = raw(bare_door.port, request.encode()).decode().partition("\r\n\r\n")

    assert head.split(" ")[1] == str(expected)
    assert "content-type: text/plain" in head.lower()
    assert "<" not in body.replace("<user id>", "")
    assert body.count("\n") == 1
    assert "nginx/" not in head


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET /recommend/7 HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 20_000 + b"\r\n\r\n", b"400"),
        (b"GET /recommend/7 HTTP/1.1\r\nHost: x\r\n" + b"X-A: aaaa\r\n" * 5000 + b"\r\n", b"400"),
        (b"GET /recommend/7 HTTP/1.1\r\n\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /recommend/7 HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", b"413"),
    ],
    ids=["huge header", "header flood", "no host", "no request", "huge body"],
)
def test_what_is_malformed_is_refused_in_one_plain_line(bare_door, data, expected):
    head, _, body = raw(bare_door.port, data).partition(b"\r\n\r\n")

    assert head.split(b" ")[1] == expected
    assert b"text/plain" in head
    assert body.count(b"\n") == 1


def test_http_1_0_is_answered_and_closed(door):
    head, _, body = raw(door.port, b"GET /recommend/7 HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")

    assert b" 200 " in head
    assert body.count(b",") == 19


def test_pipelined_requests_are_answered_in_turn(door):
    request = b"GET /recommend/%d HTTP/1.1\r\nHost: x\r\n%s\r\n"
    data = request % (1, b"") + request % (2, b"") + request % (3, b"Connection: close\r\n")

    assert raw(door.port, data).count(b"HTTP/1.1 200 OK") == 3


def test_a_caller_that_never_finishes_its_request_is_let_go(bare_door):
    raw(bare_door.port, b"GET /recommend/7 HTTP/1.1\r\nHost: ")  # until the other side closes


def test_status_names_the_live_split(door, slots):
    assert '"split":""' in get(door.port, "/status")[1]
    split(slots.state, "canary", range(50))

    assert '"split":"canary"' in get(door.port, "/status")[1]


@pytest.mark.parametrize(("page", "expected"), [("public", 200), ("loopback", 404)])
def test_a_versions_pictures_are_for_whom_the_page_is_for(page, expected, tmp_path):
    version = "20260131-030000-ease"
    drawn = tmp_path / "models/versions" / version
    drawn.mkdir(parents=True)
    (drawn / "ranking.svg").write_text("<svg/>")
    (drawn / "manifest.json").write_text("{}")
    (tmp_path / "page" / page).mkdir(parents=True)
    (tmp_path / "page" / page / "status.html").write_text("<!DOCTYPE html>")
    with nginx(tmp_path, tmp_path / "state", free_port(), free_port()) as door:
        status, headers, _body = ask(door.port, f"/status/versions/{version}/ranking.svg")
        assert status == expected
        if status == 200:
            assert headers["Content-Type"].startswith("image/svg+xml")
            assert "script-src" not in headers["Content-Security-Policy"]
        for other in ("manifest.json", "../ranking.svg", "ranking.svg/", "%2e%2e/x.svg"):
            assert ask(door.port, f"/status/versions/{version}/{other}")[0] == 404


def test_json_is_answered_where_it_is_asked_for_through_nginx(door):
    status, body = get(door.port, "/recommend/7?n=3", Accept="application/json")
    answer = json.loads(body)

    assert status == 200
    assert [movie["movie_id"] for movie in answer["movies"]] == list(MOVIES[:3])
    assert answer["model_version"] == BLUE_VERSION


@pytest.mark.parametrize("path", ["/recommend/7", "/recommend/7?n=3", "/status"])
def test_head_answers_as_get_without_a_body(door, path):
    get_status, get_headers, _body = ask(door.port, path)
    status, headers, body = ask(door.port, path, "HEAD")

    assert (status, body) == (get_status, "")
    assert set(headers) == set(get_headers)
    assert headers["Content-Type"] == get_headers["Content-Type"]
    assert headers["Content-Length"] == get_headers["Content-Length"]


def test_head_of_what_is_not_there_says_so_without_a_body(door):
    status, _headers, body = ask(door.port, "/nothing", "HEAD")

    assert (status, body) == (404, "")


@pytest.mark.parametrize(("query", "count"), [("?n=1", 1), ("?n=60", 60), ("?other=1", 20)])
def test_as_many_movies_come_as_are_asked_for(door, query, count):
    assert get(door.port, f"/recommend/7{query}")[1].count("+1999") == count


@pytest.mark.parametrize("count", ["0", "101", "-1", "abc", "", "1%0A", "1.0", "00000001"])
def test_a_number_of_movies_that_cannot_be_is_refused_in_one_plain_line(door, count):
    status, body = get(door.port, f"/recommend/7?n={count}")

    assert (status, body.count("\n")) == (400, 1)


@pytest.mark.parametrize("accept", ["text/plain", "application/json"])
def test_a_cache_does_not_take_an_answer_in_one_form_for_one_in_the_other(door, accept):
    _status, headers, _body = ask(door.port, "/recommend/7", headers={"Accept": accept})
    assert headers["Vary"] == "Accept"


@pytest.mark.parametrize("path", ["/recommend/7", "/status", "/nothing", "/recommend/x"])
def test_every_answer_has_the_security_headers_and_no_banner(door, path):
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    head = raw(door.port, request.encode()).partition(b"\r\n\r\n")[0].decode().lower()

    assert "x-content-type-options: nosniff" in head
    assert "content-security-policy: default-src 'none'" in head
    assert "cache-control: no-store" in head
    assert "referrer-policy: no-referrer" in head
    assert "server: nginx\r\n" in head
    assert "granian" not in head


def test_a_wrong_method_is_told_which_one_is_allowed(bare_door):
    request = b"POST /recommend/7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    assert b"\r\nallow: get, head\r\n" in raw(bare_door.port, request).lower()


def test_more_callers_than_slots_can_serve_get_the_popular_list(door, both):
    """450 ask at once and both slots hang: nobody is tried for more than twice."""
    for slot in both:
        slot.freeze()
    try:
        with ThreadPoolExecutor(450) as callers:
            answers = list(callers.map(lambda n: get(door.port, f"/recommend/{n + 1}"), range(450)))
    finally:
        for slot in both:
            slot.thaw()

    assert set(answers) == {(200, POPULAR)}
    assert {len(said.split(", ")) for said in tried(door)} <= {1, 2}


def test_slow_callers_do_not_keep_others_from_their_answers(door):
    slow = [socket.create_connection(("127.0.0.1", door.port)) for _ in range(1000)]
    try:
        for number, connection in enumerate(slow):
            connection.sendall(b"GET /recommend/7 HTTP/1.1\r\nHost: slow\r\nX: "[: 5 + number % 40])
        with Asking(door.port) as clients:
            eventually(lambda: len(clients.answers) > 100, 60)
    finally:
        for connection in slow:
            connection.close()

    assert clients.failed() == []


def test_callers_that_read_nothing_do_not_keep_others_from_their_answers(door):
    request = b"GET /recommend/7 HTTP/1.1\r\nHost: deaf\r\n\r\n"
    deaf = [socket.create_connection(("127.0.0.1", door.port)) for _ in range(100)]
    try:
        for connection in deaf:
            connection.sendall(request * 200)
        with Asking(door.port) as clients:
            eventually(lambda: len(clients.answers) > 100, 60)
    finally:
        for connection in deaf:
            connection.close()

    assert clients.failed() == []


def test_what_a_flood_of_pipelined_requests_gets_is_in_order_and_complete(door):
    request = b"GET /recommend/%d HTTP/1.1\r\nHost: x\r\n\r\n"
    flood = b"".join(request % user for user in range(1, 300))
    last = b"GET /recommend/300 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    assert raw(door.port, flood + last).count(b"HTTP/1.1 200 OK") == 300

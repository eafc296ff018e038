import asyncio
import time
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from tests.end_to_end.load import Load, is_a_list, send, under

LIST = ",".join(f"movie+{n}+1999" for n in range(20)) + "\n"
GOOD = f"HTTP/1.1 200 OK\r\nContent-Length: {len(LIST)}\r\n\r\n{LIST}"
LAST = GOOD.replace("200 OK", "200 Last")
"""The server closes the connection after it, and does not say so."""


class Seen:
    """What a tiny server saw: connections and paths."""

    def __init__(self):
        self.connections = 0
        self.paths = []


@contextmanager
def tiny_server(reply):
    """Serve `reply(number of the request)`: an answer, seconds to wait before one, or None."""
    seen, ready, done = Seen(), Event(), []

    async def answer(reader, writer):
        seen.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                seen.paths.append(head.split()[1].decode())
                answered = reply(len(seen.paths))
                if isinstance(answered, float):
                    await asyncio.sleep(answered)
                    answered = GOOD
                if answered is None:
                    break
                writer.write(answered.encode())
                if answered == LAST:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the load ended
        writer.close()

    async def serve():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        stop = asyncio.Event()
        done.extend([server.sockets[0].getsockname()[1], asyncio.get_running_loop(), stop])
        ready.set()
        async with server:
            await stop.wait()

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    port, loop, stop = done
    try:
        yield port, seen
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def load(port, **changes):
    return Load(**{"port": port, "rate": 100, "connections": 4, **changes})


def test_the_rate_and_the_connections_are_held():
    with tiny_server(lambda _: GOOD) as (port, seen):
        started = time.perf_counter()
        outcome = send(load(port), seconds=1)
        took = time.perf_counter() - started
    assert outcome.sent == outcome.statuses[200] == len(seen.paths) == 100
    assert outcome.failed == 0
    assert seen.connections == 4
    assert took > 0.9


def test_user_ids_are_asked_for_in_turn():
    with tiny_server(lambda _: GOOD) as (port, seen):
        send(load(port, user_ids=[7, 8, 9], connections=1), seconds=0.06)
    assert seen.paths == [f"/recommend/{user}" for user in (7, 8, 9, 7, 8, 9)]


def test_another_status_and_a_wrong_body_are_failures():
    replies = {
        1: "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        2: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
    }
    with tiny_server(lambda number: replies.get(number, GOOD)) as (port, _):
        outcome = send(load(port), seconds=0.1)
    assert outcome.statuses == {200: 9, 503: 1}
    assert outcome.failures == {"status 503": 1, "wrong body": 1}


def test_a_dropped_connection_fails_once_and_is_not_asked_again():
    with tiny_server(lambda number: None if number == 3 else GOOD) as (port, seen):
        outcome = send(load(port), seconds=0.1)
    assert outcome.failures == {"IncompleteReadError": 1}
    assert outcome.sent == len(seen.paths) == 10


def test_a_late_answer_is_a_failure():
    with tiny_server(lambda number: 5.0 if number == 1 else GOOD) as (port, _):
        outcome = send(load(port, patience=0.2), seconds=0.1)
    assert outcome.failures == {"TimeoutError": 1}


def test_an_answer_that_is_no_http_is_a_failure():
    with tiny_server(lambda _: "hello\r\n\r\n") as (port, _):
        outcome = send(load(port, connections=1), seconds=0.02)
    assert outcome.failures == {"ValueError": 2}


def test_a_server_that_closes_politely_is_asked_on_a_new_connection():
    polite = GOOD.replace("\r\n", "\r\nConnection: close\r\n", 1)
    with tiny_server(lambda number: polite if number == 1 else GOOD) as (port, seen):
        outcome = send(load(port, connections=1), seconds=0.05)
    assert outcome.failed == 0
    assert seen.connections == 2


def test_no_server_is_a_failure_of_every_request_and_none_was_sent():
    outcome = send(load(1), seconds=0.1)
    assert outcome.failed == 10
    assert outcome.sent == 0


def test_latency_counts_the_wait_for_a_connection_that_is_stuck():
    with tiny_server(lambda number: 0.5 if number == 1 else GOOD) as (port, _):
        outcome = send(load(port, connections=1, patience=2), seconds=0.5)
    assert len(outcome.latencies) == 50
    assert outcome.percentile(0.5) > 0.15
    assert outcome.percentile(1) > 0.45


def test_it_keeps_sending_while_a_block_runs_and_stops_with_it():
    with tiny_server(lambda _: GOOD) as (port, seen):
        with under(load(port)) as outcome:
            time.sleep(0.5)
        assert outcome.sent == len(seen.paths)
    assert 30 <= outcome.sent <= 70


@pytest.mark.parametrize(
    ("body", "good"),
    [
        (LIST.encode(), True),
        (LIST.strip().encode(), True),
        (b"up+2009", False),
        (b",".join([b"up+2009"] * 20), False),
        (LIST.replace("movie+0+1999", "").encode(), False),
    ],
)
def test_a_list_is_twenty_distinct_movies(body, good):
    assert is_a_list(body) == good


def test_each_request_that_says_so_has_a_connection_of_its_own():
    with tiny_server(lambda _: GOOD) as (port, seen):
        outcome = send(load(port, headers={"Connection": "close"}), 0.1)
    assert not outcome.failures
    assert seen.connections == outcome.sent == 10


def test_a_connection_that_the_server_has_closed_is_not_used_again():
    with tiny_server(lambda _: LAST) as (port, seen):
        outcome = send(load(port, rate=2, connections=1), seconds=1)
    assert not outcome.failures
    assert seen.connections == outcome.sent == 2

"""A constant rate of requests, each sent once, none retried; connections are kept alive.

A latency is counted from the time at which its request should have been sent: whoever has to wait
for a connection because the server was slow has waited for the server (no coordinated omission).
Patience is counted from when a connection is free: an answer may be later than that and not failed.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Event, Thread
from types import MappingProxyType

MOVIES_IN_A_LIST = 20


def is_a_list(body: bytes) -> bool:
    """Whether a body is one line of 20 distinct movie ids."""
    movies = body.decode().removesuffix("\n").split(",")
    return len(set(movies)) == len(movies) == MOVIES_IN_A_LIST and all(movies)


@dataclass(frozen=True)
class Load:
    """What is sent: `rate` requests a second on so many connections, the user ids in turn.

    With the header `Connection: close`, each request has a connection of its own.
    """

    port: int
    rate: float
    connections: int = 16
    user_ids: Sequence[int] = range(1, 611)
    path: str = "/recommend/{}"
    host: str = "127.0.0.1"
    patience: float = 0.6
    accepts: Callable[[bytes], bool] = is_a_list
    headers: Mapping[str, str] = MappingProxyType({})


@dataclass
class Outcome:
    """What came of it: statuses, failures by kind, and latencies in seconds.

    `sent` counts the requests that were written to a connection: as many should be in the log of
    whoever was asked. One for which no connection could be had is a failure, but not sent.
    """

    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """Requests without a 200 and an acceptable body in time."""
        return self.failures.total()

    def percentile(self, share: float) -> float:
        """The latency, in seconds, that this share of the answered requests stays within."""
        return sorted(self.latencies)[max(0, round(share * len(self.latencies)) - 1)]


def send(load: Load, seconds: float) -> Outcome:
    """Send for so many seconds."""
    outcome = Outcome()
    asyncio.run(_send(load, seconds, Event(), outcome))
    return outcome


@contextmanager
def under(load: Load, longest: float = 600) -> Iterator[Outcome]:
    """Keep sending while the block runs; after it, the outcome is complete."""
    outcome, stop = Outcome(), Event()
    thread = Thread(target=lambda: asyncio.run(_send(load, longest, stop, outcome)))
    thread.start()
    try:
        yield outcome
    finally:
        stop.set()
        thread.join()


async def _send(load: Load, seconds: float, stop: Event, outcome: Outcome) -> None:
    schedule = _schedule(load.rate, seconds, stop)
    async with asyncio.TaskGroup() as connections:
        for _ in range(load.connections):
            connections.create_task(_keep_asking(load, schedule, outcome))


def _schedule(rate: float, seconds: float, stop: Event) -> Iterator[tuple[int, float]]:
    """Number and intended time of each request; connections take from it whenever they are free."""
    start = time.perf_counter()
    for number in count():
        if number >= rate * seconds or stop.is_set():
            return
        yield number, start + number / rate


async def _keep_asking(load: Load, schedule: Iterator[tuple[int, float]], outcome: Outcome) -> None:
    connection: Connection | None = None
    for number, intended in schedule:
        await asyncio.sleep(intended - time.perf_counter())
        path = load.path.format(load.user_ids[number % len(load.user_ids)])
        try:
            async with asyncio.timeout(load.patience):
                connection = _if_open(connection) or await _connect(load)
                outcome.sent += 1
                status, body, kept = await _ask(connection, load, path)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            outcome.failures[type(error).__name__] += 1
            connection = _close(connection)
            continue
        outcome.latencies.append(time.perf_counter() - intended)
        _judge(load, outcome, status, body)
        connection = connection if kept else _close(connection)
    _close(connection)


type Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _connect(load: Load) -> Connection:
    return await asyncio.open_connection(load.host, load.port)


def _if_open(connection: Connection | None) -> Connection | None:
    """A connection that the server has closed meanwhile is not asked again, as clients do."""
    return _close(connection) if connection and connection[0].at_eof() else connection


def _close(connection: Connection | None) -> None:
    if connection is not None:
        connection[1].transport.abort()


async def _ask(connection: Connection, load: Load, path: str) -> tuple[int, bytes, bool]:
    """Status, body and whether the connection stays; ValueError where it is no HTTP/1.1 answer."""
    reader, writer = connection
    lines = "".join(f"{name}: {value}\r\n" for name, value in load.headers.items())
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {load.host}\r\n{lines}\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status_line, *told = head.strip().split("\r\n")
    headers = dict(line.split(": ", 1) for line in told)
    body = await reader.readexactly(int(headers.get("content-length", "-1")))
    kept = "close" not in (headers.get("connection"), load.headers.get("Connection"))
    return int(status_line.split()[1]), body, kept


def _judge(load: Load, outcome: Outcome, status: int, body: bytes) -> None:
    outcome.statuses[status] += 1
    if status != 200:
        outcome.failures[f"status {status}"] += 1
    elif not load.accepts(body):
        outcome.failures["wrong body"] += 1

"""Breaks what ingest stands on, again and again while lines flow, and compares what landed.

    python -m tests.drill.ingest [FAULT ...]

Each fault has a function here, which the integration tests call with a count of one. After
each, every offset that the topic holds must be in the tables exactly once and the audit must
balance. TEST_DATABASE and TEST_KAFKA name the stores that are not to be broken themselves;
for the others the engine starts containers of IMAGE_PREFIX's PostgreSQL and Kafka.
"""

import random
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Annotated, Self

import psycopg
import typer
from kafka.admin import NewPartitions
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.benchmarks.ingest import mixed_lines
from tests.drill.containers import await_kafka, await_postgres, kafka, postgres, restart
from tests.drill.line import PARTITIONS, Line, administration, line, producer, publish, publishing
from tests.drill.log_went_back import log_went_back
from tests.engine import docker

LEASE_SECONDS = 20.0
"""PostgreSQL ends an idle transaction after 15 s."""


def sigkill(count: int, lines: int) -> str:
    """Kill the process that lands; it is frozen first, to see where it was struck."""
    draw, open_transactions = random.Random(count), 0
    with line() as way:
        publish(way, lines)
        for kill in range(count):
            process = way.start()
            way.wait(way.landed() + 1)
            time.sleep(draw.uniform(0, 0.1))
            process.send_signal(signal.SIGSTOP)
            open_transactions += in_transaction(way)
            process.kill()
            process.wait()
            assert way.landed() < lines, f"kill {kill} came when all had landed"
        way.start()
        way.wait(lines)
        way.end()
        return f"{open_transactions} of {count} struck an open transaction; {way.compare()}"


def in_transaction(way: Line) -> bool:
    """Whether a transaction of ingest is open that has written something."""
    time.sleep(0.02)  # what was on its way to PostgreSQL has arrived
    with psycopg.connect(way.owner) as connection:
        row = connection.execute(
            "SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL"
        ).fetchone()
    return row is not None


def paused_past_its_lease(count: int, lines: int) -> str:
    """Freeze a process for longer than PostgreSQL waits for it while another lands all."""
    with line() as way:
        for time_around in range(count):
            publish(way, lines, seed=3 * time_around)
            sleeper = way.start()
            way.wait(way.landed() + 1)
            sleeper.send_signal(signal.SIGSTOP)
            asleep = time.monotonic()
            publish(way, lines, seed=3 * time_around + 1)
            way.start()
            way.wait(lines * (3 * time_around + 2))
            time.sleep(max(0.0, asleep + LEASE_SECONDS - time.monotonic()))
            sleeper.send_signal(signal.SIGCONT)
            publish(way, lines, seed=3 * time_around + 2)
            way.wait(lines * (3 * time_around + 3))
            way.end()
        return way.compare()


def two_at_once(count: int, lines: int) -> str:
    """Two processes on all partitions, and a partition more each time."""
    with line() as way:
        way.start()
        way.start()
        way.await_readers(2)
        for more in range(count):
            publish(way, lines, seed=more)
            with administration(way.kafka) as admin:
                admin.create_partitions({way.topic: NewPartitions(PARTITIONS + 1 + more)})
        way.wait(lines * count)
        way.end()
        return way.compare()


def connection_cut(count: int, lines: int) -> str:
    """Cut the connection to PostgreSQL while rows go through it."""
    cut_in_copy = 0
    with line() as way, Wire(way.owner) as wire:
        publish(way, lines)
        way.start(wire.conninfo)
        for _ in range(count):
            way.wait(way.landed() + 1)
            cut_in_copy += wire.cut_while(lambda: copying(way))
        way.wait(lines)
        way.end()
        return f"{cut_in_copy} of {count} cut a COPY; {way.compare()}"


def copying(way: Line) -> bool:
    with psycopg.connect(way.owner) as connection:
        row = connection.execute(
            "SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND state = 'active' AND query LIKE 'COPY %'"
        ).fetchone()
    return row is not None


class Wire:
    """Stands between ingest and PostgreSQL, and can be cut."""

    def __init__(self, conninfo: str) -> None:
        self._target = conninfo_to_dict(conninfo)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._pumps: list[Thread] = []
        port = self._listener.getsockname()[1]
        self.conninfo = make_conninfo(conninfo, host="127.0.0.1", port=port)

    def __enter__(self) -> Self:
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut()
        for pump in self._pumps:
            pump.join()

    def cut_while(self, true: Callable[[], bool]) -> bool:
        """Cut when this is so; or after some seconds anyway. Whether it was so."""
        until = time.monotonic() + 5
        while not (so := true()) and time.monotonic() < until:
            pass
        self._cut()
        return so

    def _cut(self) -> None:
        while self._open:
            end = self._open.pop()
            with suppress(OSError):  # it may have ended by itself
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            there = socket.create_connection((self._target["host"], int(self._target["port"])))
            self._open += [here, there]
            for ends in ((here, there), (there, here)):
                self._pumps.append(Thread(target=self._pump, args=ends, daemon=True))
                self._pumps[-1].start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()


def poison(count: int, lines: int) -> str:
    """Lines with random bytes in them, between good ones."""
    draw = random.Random(count)
    with line() as way:
        with producer(way) as to:
            for number, text in enumerate(mixed_lines(lines, seed=count)):
                place = draw.randrange(len(text))
                odd = draw.randbytes(draw.randrange(8)) + draw.choice([b"", b"\t", b"\\", b"\n"])
                damaged = text[:place] + odd + text[place:]
                to.send(way.topic, damaged, partition=number % PARTITIONS)
            to.send(way.topic, b"x" * 900_000, partition=0)
            to.send(way.topic, None, key=b"a tombstone", partition=1)
        way.start()
        way.wait(lines + 2)
        way.end()
        return way.compare()


def postgres_killed(count: int, each_second: int) -> str:
    """Kill PostgreSQL under a running ingest, and start it again."""
    draw = random.Random(count)
    with postgres() as (owner, container), line(owner=owner) as way:
        healthy: list[float] = []
        with publishing(way, each_second):
            way.start()
            for _ in range(count):
                way.wait(way.landed() + 1)
                time.sleep(draw.uniform(0, 1))
                restart(container)
                await_postgres(owner)
                back = time.monotonic()
                way.wait(way.landed() + 1)
                healthy.append(time.monotonic() - back)
        way.wait(way.published())
        way.end()
        return f"landing again after at most {max(healthy):.1f} s; {way.compare()}"


def kafka_killed(count: int, each_second: int) -> str:
    """Kill the broker under a running ingest, and start it again."""
    with kafka() as (servers, container), line(kafka=servers) as way:
        healthy: list[float] = []
        with publishing(way, each_second):
            way.start()
            for _ in range(count):
                way.wait(way.landed() + 1)
                restart(container)
                await_kafka(servers)
                back = time.monotonic()
                way.wait(way.landed() + 1)
                healthy.append(time.monotonic() - back)
        way.wait(way.published())
        way.end()
        return f"landing again after at most {max(healthy):.1f} s; {way.compare()}"


def disk_full(count: int, lines: int) -> str:
    """Fill the disk under PostgreSQL, and make room again."""
    with (
        postgres("--tmpfs", "/small:size=400m,mode=1777") as (owner, container),
        line(owner=owner) as way,
    ):
        for fill in range(count):
            process = way.start()
            publish(way, lines, seed=fill)
            way.wait(way.landed() + 1)
            docker("exec", container, "sh", "-c", "cat /dev/zero > /small/ballast || true")
            publish(way, lines, seed=1000 + fill)
            time.sleep(8)
            stuck = way.landed()
            time.sleep(2)
            assert way.landed() == stuck, "the disk was not full"
            assert process.poll() is None, way.said()
            docker("exec", container, "rm", "/small/ballast")
            await_postgres(owner)
        way.wait(2 * lines * count)
        way.end()
        return way.compare()


FAULTS: dict[str, tuple[Callable[[int, int], str], int, int]] = {
    "sigkill": (sigkill, 50, 1_000_000),
    "postgres_killed": (postgres_killed, 10, 2_000),
    "kafka_killed": (kafka_killed, 5, 2_000),
    "two_at_once": (two_at_once, 5, 50_000),
    "paused_past_its_lease": (paused_past_its_lease, 2, 100_000),
    "connection_cut": (connection_cut, 10, 300_000),
    "disk_full": (disk_full, 2, 50_000),
    "poison": (poison, 1, 100_000),
    "log_went_back": (log_went_back, 2, 2_000),
}
"""Each fault with its full count, and the lines it strikes: in all, or a second."""


def drill(
    faults: Annotated[list[str] | None, typer.Argument(help="Which; all if none is named.")] = None,
) -> None:
    """Play each fault at its full count; ends with 1 at the first that does harm."""
    for name in faults or FAULTS:
        fault, count, lines = FAULTS[name]
        begun = time.monotonic()
        found = fault(count, lines)
        print(f"{name} x {count}: {found} ({time.monotonic() - begun:.0f} s)", flush=True)  # noqa: T201 -- the report


if __name__ == "__main__":
    typer.run(drill)

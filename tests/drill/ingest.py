"""Breaks what ingest stands on, again and again while lines flow, and compares what landed.

    python -m tests.drill.ingest [FAULT ...]

Each fault has a function here, which the integration tests call with a count of one. After
each, every offset that the topic holds must be in the tables exactly once and the audit must
balance. TEST_DATABASE and TEST_KAFKA name the stores that are not to be broken themselves;
for the others the engine starts containers of IMAGE_PREFIX's PostgreSQL and Kafka.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Annotated, Self

import psycopg
import typer
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewPartitions, NewTopic
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ingest.audit.audit import audit
from ingest.kafka.broker import KafkaSettings, asking, log_bounds
from tests.benchmarks.ingest import mixed_lines
from tests.benchmarks.report import ROOT
from tests.engine import docker
from tests.ports import free_port
from tests.stores import KAFKA, OWNER, as_role, migrated_database, service_environment

TABLES = ("watch", "rating", "recommendation_request", "account", "reject", "duplicate")
PARTITIONS = 2
PATIENCE_SECONDS = 240.0
LEASE_SECONDS = 20.0
"""PostgreSQL ends an idle transaction after 15 s."""
IMAGE_PREFIX = os.environ.get("IMAGE_PREFIX", "marquee")


@dataclass
class Line:
    """One way of lines from a topic to a database, and the processes that land them."""

    owner: str
    kafka: str
    topic: str
    folder: Path
    batch_lines: int = 2_000
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, database: str = "", **settings: str) -> subprocess.Popen[bytes]:
        """Start the real process; `database` is where it is to connect, if not to the owner's."""
        server = database or self.owner
        as_ingest = as_role(str(conninfo_to_dict(server)["dbname"]), "ingest", server)
        environment = os.environ | {
            **service_environment(as_ingest, self.folder),
            "HEARTBEAT_FILE": str(self.folder / "heartbeat"),
            "METRICS_PORT": "0",
            "KAFKA_SERVERS": self.kafka,
            "KAFKA_TOPIC": self.topic,
            "BATCH_LINES": str(self.batch_lines),
            "BATCH_TIME": "PT0.2S",
            **settings,
        }
        with (self.folder / "log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "ingest", "run"], cwd=ROOT, env=environment, stdout=log
            )
        self.processes.append(process)
        return process

    def await_readers(self, count: int) -> None:
        """Wait until that many processes have begun to read."""
        until = time.monotonic() + PATIENCE_SECONDS
        while (self.folder / "log").read_text().count('"event": "reading"') < count:
            assert time.monotonic() < until, self.said()
            time.sleep(0.05)

    def end(self) -> None:
        """Ask every process that still runs to end; each must end well."""
        running = [process for process in self.processes if process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(timeout=20) for process in running]
        assert not any(codes), (codes, self.said())

    def kill(self) -> None:
        """Take away whatever still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()

    def said(self) -> str:
        """The end of what the processes logged."""
        return (self.folder / "log").read_text()[-3000:]

    def landed(self) -> int:
        """How many lines are consumed."""
        with psycopg.connect(self.owner) as connection:
            row = connection.execute("SELECT sum(next_offset - first_offset) FROM stream_offset")
            return int(row.fetchone()[0] or 0)

    def wait(self, lines: int) -> None:
        """Wait until that many lines are consumed."""
        until = time.monotonic() + PATIENCE_SECONDS
        while self.landed() < lines:
            assert time.monotonic() < until, f"{self.landed()} of {lines} landed; {self.said()}"
            time.sleep(0.02)

    def published(self) -> int:
        """How many lines the topic holds."""
        with asking(KafkaSettings(kafka_servers=self.kafka)) as consumer:
            return sum(map(len, log_bounds(consumer, self.topic).values()))

    def compare(self) -> str:
        """Compare every row with the topic, offset by offset, and audit; what was found."""
        with asking(KafkaSettings(kafka_servers=self.kafka)) as consumer:
            held = log_bounds(consumer, self.topic)
        union = " UNION ALL ".join(f"SELECT log_partition, log_offset FROM {t}" for t in TABLES)
        with psycopg.connect(self.owner, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT log_partition, count(*), count(DISTINCT log_offset), min(log_offset),"
                f" max(log_offset) FROM ({union}) AS line GROUP BY 1"
            ).fetchall()
            balanced = all(part.balanced for part in audit(connection, datetime.now(UTC)))
        expected = {
            number: (len(at), len(at), at.start, at.stop - 1) for number, at in held.items() if at
        }
        assert {number: tuple(rest) for number, *rest in rows} == expected
        assert balanced
        return f"{sum(map(len, held.values())):,} lines, each landed once; the audit balances"


@contextmanager
def line(owner: str = OWNER, kafka: str = KAFKA) -> Iterator[Line]:
    """A fresh database and a fresh topic; both are gone afterwards."""
    with tempfile.TemporaryDirectory() as folder, migrated_database("drill", owner) as name:
        with administration(kafka) as admin:
            admin.create_topics([NewTopic(name, num_partitions=PARTITIONS, replication_factor=1)])
        way = Line(as_role(name, "marquee", owner), kafka, name, Path(folder))
        try:
            yield way
        finally:
            way.kill()
            with administration(kafka) as admin:
                admin.delete_topics([name])


@contextmanager
def administration(kafka: str) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        yield admin
    finally:
        admin.close()


def publish(way: Line, count: int, seed: int = 1) -> None:
    """Publish lines as fast as it goes."""
    with producer(way) as to:
        for number, text in enumerate(mixed_lines(count, seed)):
            to.send(way.topic, text, partition=number % PARTITIONS)


@contextmanager
def publishing(way: Line, each_second: int) -> Iterator[None]:
    """Publish all the while, and wait at the end until the broker has it."""
    over = Event()

    def work() -> None:
        with producer(way) as to:
            for number, text in enumerate(mixed_lines(10_000_000, seed=1)):
                if number % each_second == 0 and over.wait(1):
                    return
                to.send(way.topic, text, partition=number % PARTITIONS)

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def producer(way: Line) -> Iterator[KafkaProducer]:
    """Sends each line once, whatever the broker goes through; at the end it has them all."""
    made = KafkaProducer(
        bootstrap_servers=way.kafka, linger_ms=20, enable_idempotence=True, acks="all"
    )
    try:
        yield made
        made.flush()
    finally:
        made.close()


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


def restart(container: str) -> None:
    docker("kill", container)
    time.sleep(1)
    docker("start", container)


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


@contextmanager
def postgres(*options: str, folder: str = "/tmp") -> Iterator[tuple[str, str]]:  # noqa: S108 -- in a container of its own
    """A PostgreSQL of its own that may be killed: its conninfo and its container."""
    port, name = free_port(), f"drill-{uuid.uuid4().hex[:8]}"
    start = (
        f"b=/usr/lib/postgresql/17/bin; d={folder}/cluster;"
        " test -s $d/PG_VERSION || { $b/initdb -D $d -U marquee --auth=trust"
        " --encoding=UTF8 --locale=C.UTF-8 > /dev/null &&"
        " echo 'host all all all trust' >> $d/pg_hba.conf; };"
        " exec $b/postgres -D $d -c listen_addresses='*' -c unix_socket_directories=/tmp"
        " -c max_wal_size=64MB -c min_wal_size=32MB"
    )
    docker(
        *("run", "--detach", "--name", name, "--publish", f"127.0.0.1:{port}:5432"),
        *("--user", "999:999", "--entrypoint", "sh", *options),
        *(f"{IMAGE_PREFIX}/postgres", "-c", start),
    )
    try:
        owner = f"host=127.0.0.1 port={port} user=marquee dbname=postgres"
        await_postgres(owner)
        yield owner, name
    finally:
        docker("rm", "--force", "--volumes", name)


@contextmanager
def kafka() -> Iterator[tuple[str, str]]:
    """A broker of its own that may be killed: its address and its container."""
    port, name = free_port(), f"drill-{uuid.uuid4().hex[:8]}"
    docker(
        *("run", "--detach", "--name", name, "--publish", f"127.0.0.1:{port}:9092"),
        *("--hostname", "kafka", "--env", f"KAFKA_PORT={port}", "--entrypoint", "start-kafka"),
        f"{IMAGE_PREFIX}/kafka",
    )
    try:
        servers = f"localhost:{port}"
        await_kafka(servers)
        yield servers, name
    finally:
        docker("rm", "--force", "--volumes", name)


def await_postgres(owner: str) -> None:
    eventually(lambda: psycopg.connect(owner, connect_timeout=2).close(), psycopg.OperationalError)


def await_kafka(servers: str) -> None:
    def ask() -> None:
        with administration(servers) as admin:
            admin.list_topics()

    eventually(ask, Exception)


def eventually(work: Callable[[], None], passing: type[Exception]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return work()
        except passing:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


FAULTS: dict[str, tuple[Callable[[int, int], str], int, int]] = {
    "sigkill": (sigkill, 50, 1_000_000),
    "postgres_killed": (postgres_killed, 10, 2_000),
    "kafka_killed": (kafka_killed, 5, 2_000),
    "two_at_once": (two_at_once, 5, 50_000),
    "paused_past_its_lease": (paused_past_its_lease, 2, 100_000),
    "connection_cut": (connection_cut, 10, 300_000),
    "disk_full": (disk_full, 2, 50_000),
    "poison": (poison, 1, 100_000),
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

"""One way of lines from a topic to a database, that faults are played on."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import psycopg
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from psycopg.conninfo import conninfo_to_dict

from ingest.audit.audit import audit
from ingest.kafka.broker import KafkaSettings, asking, log_bounds
from tests.benchmarks.ingest import mixed_lines
from tests.benchmarks.report import ROOT
from tests.stores import KAFKA, OWNER, as_role, migrated_database, service_environment
from tests.waiting import meanwhile

TABLES = ("watch", "rating", "recommendation_request", "account", "reject", "duplicate")
PARTITIONS = 2
PATIENCE_SECONDS = 240.0


@dataclass
class Line:
    """One way of lines from a topic to a database, and the processes that land them."""

    owner: str
    kafka: str
    topic: str
    folder: Path
    batch_lines: int = 2_000
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self, database: str = "") -> dict[str, str]:
        """What tells ingest where its stores are; `database` if not the owner's."""
        server = database or self.owner
        as_ingest = as_role(str(conninfo_to_dict(server)["dbname"]), "ingest", server)
        return os.environ | {
            **service_environment(as_ingest, self.folder),
            "HEARTBEAT_FILE": str(self.folder / "heartbeat"),
            "METRICS_PORT": "0",
            "KAFKA_SERVERS": self.kafka,
            "KAFKA_TOPIC": self.topic,
            "BATCH_LINES": str(self.batch_lines),
            "BATCH_TIME": "PT0.2S",
        }

    def start(self, database: str = "", **settings: str) -> subprocess.Popen[bytes]:
        """Start the real process; `database` is where it is to connect, if not to the owner's."""
        environment = self.environment(database) | settings
        with (self.folder / "log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "ingest", "run"], cwd=ROOT, env=environment, stdout=log
            )
        self.processes.append(process)
        return process

    def command(self, *arguments: str) -> str:
        """Run another command of ingest, which must end well; what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "ingest", *arguments],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.returncode, done.stderr
        return done.stdout

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

    def last_error(self) -> str:
        """What the last line that was logged calls the error."""
        return str(json.loads((self.folder / "log").read_text().splitlines()[-1])["error"])

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
        return self.compare_rows(held)

    def compare_rows(self, held: Mapping[int, range]) -> str:
        """Each of these offsets must be in the tables once, and the audit must balance."""
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

    def work(over: Event) -> None:
        with producer(way) as to:
            for number, text in enumerate(mixed_lines(10_000_000, seed=1)):
                if number % each_second == 0 and over.wait(1):
                    return
                to.send(way.topic, text, partition=number % PARTITIONS)

    with meanwhile(work):
        yield


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

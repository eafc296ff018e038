"""How fast lines land, against a consumer that throws them away.

    python -m tests.benchmarks.ingest measure [--scale small|full]

One topic of two partitions and a realistic mix of lines; the two ways take turns, each in a
process of its own with the same fetch settings, timed from its first connection to its last
line. After each run the audit must balance. Writes build/bench/ingest.json.
"""

import json
import os
import platform
import random
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any

import psycopg
import typer
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from psycopg import sql
from psycopg.conninfo import make_conninfo

from compose.migrate.__main__ import migrate
from ingest.audit import audit
from ingest.consumer import run
from ingest.lines import AccountCreated, Rated, Requested, Watched, format_line
from ingest.settings import IngestSettings

ROOT = Path(__file__).parents[2]
OWNER = os.environ.get(
    "TEST_DATABASE", "host=localhost port=55432 user=marquee password=dev dbname=postgres"
)
KAFKA = os.environ.get("TEST_KAFKA", "localhost:59092")
SCALES = {"small": (1_000_000, 5), "full": (10_000_000, 5)}
"""Lines, and runs of each way."""
PARTITIONS = 2
MOVIES, USERS = 20_000, 1_000_000
DAMAGED_SHARE = 0.0005

app = typer.Typer()


def mixed_lines(count: int, seed: int) -> Iterator[bytes]:
    """96 % watches, 2 % ratings, 1.9 % requests, some accounts; a few damaged."""
    draw = random.Random(seed)
    begin = (datetime.now(UTC) - timedelta(hours=1)).replace(microsecond=0)
    movies = [f"the+movie+of+number+{n}+{1930 + n % 90}" for n in range(MOVIES)]
    for number in range(count):
        at = begin + timedelta(seconds=number * 3600 // count)
        user, movie = draw.randrange(USERS), movies[int(draw.random() ** 2 * MOVIES)]
        chance = draw.random()
        if chance < 0.96:
            line = format_line(Watched(at, user, movie, draw.randrange(180)))
        elif chance < 0.98:
            line = format_line(Rated(at, user, movie, float(draw.randint(1, 5))))
        elif chance < 0.999:
            answer = tuple(draw.choices(movies, k=20))
            line = format_line(Requested(at, user, "host:8082", 200, answer, None, 120))
        else:
            line = format_line(AccountCreated(at, user))
        if draw.random() < DAMAGED_SHARE:
            line = line[:20] + b"z" + line[20:]
        yield line


@contextmanager
def filled_topic(count: int) -> Iterator[str]:
    """A topic with that many lines, gone afterwards."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    admin = KafkaAdminClient(bootstrap_servers=KAFKA)
    admin.create_topics([NewTopic(name, num_partitions=PARTITIONS, replication_factor=1)])
    producer = KafkaProducer(bootstrap_servers=KAFKA, linger_ms=50, batch_size=65_536)
    for number, line in enumerate(mixed_lines(count, seed=1)):
        producer.send(name, line, partition=number % PARTITIONS)
    producer.flush()
    producer.close()
    yield name
    admin.delete_topics([name])
    admin.close()


@contextmanager
def empty_database() -> Iterator[str]:
    """The name of a migrated database, gone afterwards."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(OWNER, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        migrate(make_conninfo(OWNER, dbname=name), {}, datetime.now(UTC))
        yield name
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@app.command(hidden=True)
def bare(topic: str, count: int) -> None:
    """Read the topic and throw the records away; prints seconds and peak MiB."""
    begun = time.perf_counter()
    consumer = KafkaConsumer(
        bootstrap_servers=KAFKA,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_records=IngestSettings.model_fields["batch_lines"].default,
    )
    consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
    consumer.seek_to_beginning()
    read = 0
    while read < count:
        read += sum(map(len, consumer.poll(timeout_ms=1000).values()))
    tell(time.perf_counter() - begun)
    consumer.close()


@app.command(hidden=True)
def landed(topic: str, count: int, database: str) -> None:
    """Land the topic; prints seconds until all has landed, and peak MiB."""
    settings = IngestSettings(
        database_user="ingest",
        database_password_file=Path("unused"),
        heartbeat_file=Path(f"/tmp/{topic}"),  # noqa: S108 -- touched, never read
        kafka_servers=KAFKA,
        kafka_topic=topic,
    )
    stop = Event()
    begun = time.perf_counter()
    watcher = Thread(target=stop_when_landed, args=(database, count, stop, begun))
    watcher.start()
    role = make_conninfo(OWNER, dbname=database, options="-c role=ingest")
    run(settings, role, lambda: datetime.now(UTC), stop)
    watcher.join()


def stop_when_landed(database: str, count: int, stop: Event, begun: float) -> None:
    with psycopg.connect(make_conninfo(OWNER, dbname=database), autocommit=True) as connection:
        while not stop.wait(0.02):
            offsets = "SELECT coalesce(sum(next_offset), 0) FROM stream_offset"
            if connection.execute(offsets).fetchone() == (count,):
                tell(time.perf_counter() - begun)
                stop.set()


def tell(seconds: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mib": peak}), flush=True)  # noqa: T201 -- to the parent


def child(*arguments: str) -> dict[str, Any]:
    """What another process of this file tells."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.ingest", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    told = next(line for line in done.stdout.splitlines() if line.startswith('{"seconds"'))
    return json.loads(told)


def land_once(topic: str, count: int) -> dict[str, Any]:
    """One run of ingest into a fresh database; the size of what landed is told, too."""
    with empty_database() as database:
        told = child("landed", topic, str(count), database)
        with psycopg.connect(make_conninfo(OWNER, dbname=database), autocommit=True) as connection:
            begun = time.perf_counter()
            balanced = all(partition.balanced for partition in audit(connection, datetime.now(UTC)))
            told["audit_seconds"] = time.perf_counter() - begun
            size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        if not balanced:
            raise RuntimeError("the audit does not balance")
    return told | {"bytes": size[0]}


@app.command()
def measure(scale: str = "small") -> None:
    """Measure both ways in turn and write build/bench/ingest.json."""
    count, runs = SCALES[scale]
    thrown, landed_runs = [], []
    with filled_topic(count) as topic:
        for turn in range(runs):
            thrown.append(child("bare", topic, str(count)))
            landed_runs.append(land_once(topic, count))
            print(f"run {turn + 1}: {thrown[-1]} {landed_runs[-1]}", flush=True)  # noqa: T201 -- progress
    write(figures(count, thrown, landed_runs), runs)


@app.callback()
def commands() -> None:
    """Measure ingest."""


def figures(
    count: int, thrown: list[dict[str, Any]], landed_runs: list[dict[str, Any]]
) -> dict[str, tuple[float, str]]:
    """The medians, and what they are of each other."""
    bare_rate = count / median(run["seconds"] for run in thrown)
    rate = count / median(run["seconds"] for run in landed_runs)
    return {
        "bare_records_per_s": (bare_rate, "1/s"),
        "landed_records_per_s": (rate, "1/s"),
        "ratio": (rate / bare_rate, ""),
        "peak_rss_mib": (max(run["peak_mib"] for run in landed_runs), "MiB"),
        "audit_s_per_million": (
            median(run["audit_seconds"] for run in landed_runs) / count * 1e6,
            "s",
        ),
        "gib_per_million_lines": (
            median(run["bytes"] for run in landed_runs) / 2**30 / count * 1e6,
            "GiB",
        ),
    }


def write(measured: dict[str, tuple[float, str]], runs: int) -> None:
    """Print a line a figure and keep them all in build/bench/ingest.json."""
    for name, (value, unit) in measured.items():
        print(f"{name}: {value:.4g} {unit}".rstrip())  # noqa: T201 -- what a benchmark is for
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    report = {
        "figures": [
            {"name": name, "value": v, "unit": unit} for name, (v, unit) in measured.items()
        ],
        "runs": runs,
        "machine": f"{os.cpu_count()} cores, {platform.processor() or platform.machine()}",
        "commit": commit,
    }
    target = ROOT / "build" / "bench" / "ingest.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    app()

"""How fast lines land, against a consumer that throws them away.

    python -m tests.benchmarks.ingest [--scale small|full]

One topic of two partitions and a realistic mix of lines; the ways take turns, each in a
process of its own with the same fetch settings, timed from its first connection to its last
line. After each run the audit must balance, and it must have found each line once. `full`
adds ten times the lines and the audits of those. Writes build/bench/ingest.json.
"""

import json
import random
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

from ingest.audit.audit import Scope, audit
from ingest.landing.consumer import run
from ingest.lines.grammar import AccountCreated, Rated, Requested, Watched, format_line
from ingest.retention.expiry import Decision
from ingest.retention.partitions import existing_partitions
from ingest.retention.retention_pass import drop, partition_sizes, roll_up_viewings
from ingest.settings import IngestSettings
from tests.benchmarks.report import ROOT, Figures, measured_commit, peak_rss_mib, write
from tests.stores import KAFKA, as_role, migrated_database

LINES, RUNS = 1_000_000, 5
GROWTH = 10
A_DAY = 370_000
"""Lines of a day, where a stream has 33 million in three months."""
STILL_COMING = 1_000
"""Lines a second that are published while an outage is caught up with."""
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
        user, movie = draw.randrange(1, USERS), movies[int(draw.random() ** 2 * MOVIES)]
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
    publish(name, mixed_lines(count, seed=1), float("inf"), Event())
    yield name
    admin.delete_topics([name])
    admin.close()


def publish(topic: str, lines: Iterator[bytes], lines_per_second: float, stop: Event) -> None:
    """Publish until there are no more lines or `stop` is set."""
    producer = KafkaProducer(bootstrap_servers=KAFKA, linger_ms=50, batch_size=65_536)
    begun = time.monotonic()
    for number, line in enumerate(lines):
        if stop.wait(max(0.0, begun + number / lines_per_second - time.monotonic())):
            break
        producer.send(topic, line, partition=number % PARTITIONS)
    producer.flush()
    producer.close()


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
def landed(
    topic: str,
    count: int,
    database: str,
    across_partitions: bool,  # noqa: FBT001 -- from the command line of the parent
) -> None:
    """Land the topic; prints seconds until that many lines have landed, and peak MiB."""
    settings = IngestSettings(
        database_user="ingest",
        database_passfile=Path("unused"),
        heartbeat_file=Path(f"/tmp/{topic}"),  # noqa: S108 -- touched, never read
        kafka_servers=KAFKA,
        kafka_topic=topic,
        doubles_across_partitions=across_partitions,
    )
    stop = Event()
    begun = time.perf_counter()
    watcher = Thread(target=stop_when_landed, args=(database, count, stop, begun))
    watcher.start()
    role = as_role(database, "ingest")
    run(settings, role, lambda: datetime.now(UTC), stop)
    watcher.join()


def stop_when_landed(database: str, count: int, stop: Event, begun: float) -> None:
    with psycopg.connect(as_role(database, "marquee"), autocommit=True) as connection:
        while not stop.wait(0.02):
            offsets = "SELECT coalesce(sum(next_offset), 0) FROM stream_offset"
            if connection.execute(offsets).fetchone()[0] >= count:
                tell(time.perf_counter() - begun)
                stop.set()


def tell(seconds: float) -> None:
    print(json.dumps({"seconds": seconds, "peak_mib": peak_rss_mib()}), flush=True)  # noqa: T201 -- to the parent


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


def land_once(topic: str, count: int, *, across_partitions: bool = False) -> dict[str, Any]:
    """One run of ingest into a fresh database; also the size of what landed, and its audit."""
    with migrated_database("bench") as database:
        told = child("landed", topic, str(count), database, str(across_partitions))
        with psycopg.connect(as_role(database, "marquee"), autocommit=True) as connection:
            size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            told |= {"bytes": size[0], "audit": audit_seconds(connection, "full")}
            connection.execute("VACUUM (ANALYZE)")  # as it is done by itself within a day
            connection.execute(
                "UPDATE ingest_audit SET next_offset = greatest(0, next_offset - %s)",
                (A_DAY // PARTITIONS,),
            )
            told |= {"audit_of_a_day": audit_seconds(connection, "incremental")}
        told |= {"blocked_ms": longest_wait_ms(database)}
    return told


def longest_wait_ms(database: str) -> float:
    """How long ingest waits at most for its table while the fullest partition is dropped."""
    now, over, waits = datetime.now(UTC), Event(), [0.0]

    def write_again_and_again() -> None:
        role = as_role(database, "ingest")
        with psycopg.connect(role, autocommit=True) as ingest:
            while not over.wait(0.002):
                begun = time.perf_counter()
                with ingest.transaction():
                    ingest.execute("LOCK TABLE watch IN ROW EXCLUSIVE MODE")
                waits.append((time.perf_counter() - begun) * 1000)

    role = as_role(database, "retention")
    with psycopg.connect(role, autocommit=True) as retention:
        roll_up_viewings(retention)
        sizes = partition_sizes(retention)
        fullest = max(
            existing_partitions(retention, "watch"), key=lambda partition: sizes[partition.name]
        )
        writer = Thread(target=write_again_and_again)
        writer.start()
        drop(retention, Decision(fullest, now, drop=True, overdue=True, held=False, reason=""), now)
        over.set()
        writer.join()
    return max(waits)


def audit_seconds(connection: psycopg.Connection, scope: Scope) -> float:
    """How long an audit takes; it must balance."""
    begun = time.perf_counter()
    found = audit(connection, datetime.now(UTC), scope)
    if not all(partition.balanced for partition in found):
        raise RuntimeError(f"the audit does not balance: {found}")
    return time.perf_counter() - begun


def catch_up(topic: str) -> dict[str, Any]:
    """Land what is there while lines go on coming."""
    stop = Event()
    lines = mixed_lines(10 * LINES, seed=2)
    publisher = Thread(target=publish, args=(topic, lines, STILL_COMING, stop))
    with migrated_database("bench") as database:
        publisher.start()
        told = child("landed", topic, str(LINES), database, str(False))
        stop.set()
        publisher.join()
    return told


@app.callback(invoke_without_command=True)
def measure(context: typer.Context, scale: str = "small") -> None:
    """Measure all ways in turn and write build/bench/ingest.json."""
    if context.invoked_subcommand:
        return
    commit = measured_commit()
    runs: dict[str, list[dict[str, Any]]] = {"bare": [], "landed": [], "across": []}
    with filled_topic(LINES) as topic:
        for turn in range(RUNS):
            runs["bare"].append(child("bare", topic, str(LINES)))
            runs["landed"].append(land_once(topic, LINES))
            runs["across"].append(land_once(topic, LINES, across_partitions=True))
            print(f"run {turn + 1}:", *(f"{k} {v[-1]['seconds']:.2f} s" for k, v in runs.items()))  # noqa: T201 -- progress
        measured = figures(runs) | recovery(catch_up(topic))
    if scale == "full":
        with filled_topic(GROWTH * LINES) as topic:
            measured |= growth(land_once(topic, GROWTH * LINES), measured)
    write("ingest", measured, RUNS, commit)


def figures(runs: dict[str, list[dict[str, Any]]]) -> Figures:
    """The medians, and what they are of each other."""
    rate = {way: LINES / median(run["seconds"] for run in of) for way, of in runs.items()}
    landed_runs = runs["landed"]
    peak = max(run["peak_mib"] for run in landed_runs + runs["across"])
    return {
        "bare_records_per_s": (rate["bare"], "1/s"),
        "landed_records_per_s": (rate["landed"], "1/s"),
        "ratio": (rate["landed"] / rate["bare"], ""),
        "ratio_cross_partition_dedup": (rate["across"] / rate["bare"], ""),
        "peak_rss_mib": (peak, "MiB"),
        "audit_s_1m": (median(run["audit"] for run in landed_runs), "s"),
        "audit_s_of_a_day": (median(run["audit_of_a_day"] for run in landed_runs), "s"),
        "gib_per_million_lines": (median(run["bytes"] for run in landed_runs) / 2**30, "GiB"),
        "drop_blocks_ingest_ms": (max(run["blocked_ms"] for run in landed_runs), "ms"),
    }


def recovery(run: dict[str, Any]) -> Figures:
    """How much faster than lines come in they are caught up with."""
    return {"recovery_ratio": (LINES / run["seconds"] / STILL_COMING, "")}


def growth(run: dict[str, Any], small: Figures) -> Figures:
    """What ten times the lines take, beside ten times what the lines took."""
    rate = GROWTH * LINES / run["seconds"]
    return {
        "growth_10m_over_1m": (small["landed_records_per_s"][0] / rate, ""),
        "audit_s_10m": (run["audit"], "s"),
        "audit_s_of_a_day_in_10m": (run["audit_of_a_day"], "s"),
        "peak_rss_mib": (max(run["peak_mib"], small["peak_rss_mib"][0]), "MiB"),
        "gib_per_million_lines": (run["bytes"] / GROWTH / 2**30, "GiB"),
    }


if __name__ == "__main__":
    app()

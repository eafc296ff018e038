"""From five rating lines in Kafka to a changed list, by way of ingest, a slot and Nginx."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psycopg
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

from ingest.lines.grammar import Rated, format_line
from tests.benchmarks.serving_versions import MOVIES, VERSION, publish
from tests.integration.serving import ROOT, Slots, get, nginx
from tests.ports import free_port
from tests.stores import KAFKA, service_environment
from tests.waiting import eventually

KNOWN = range(1, 101)
NEW = range(5_000_001, 5_000_101)
RATINGS = 5
AT_A_TIME = 10
POLL_SECONDS = 0.01
GIVE_UP_SECONDS = 30.0


@contextmanager
def topic() -> Iterator[str]:
    """A topic of two partitions, gone afterwards."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    admin = KafkaAdminClient(bootstrap_servers=KAFKA)
    admin.create_topics([NewTopic(name, num_partitions=2, replication_factor=1)])
    yield name
    admin.delete_topics([name])
    admin.close()


@contextmanager
def ingest(folder: Path, conninfo: str, topic: str) -> Iterator[None]:
    """The service `ingest` as it runs in the stack, but for its addresses."""
    environment = {
        "KAFKA_SERVERS": KAFKA,
        "KAFKA_TOPIC": topic,
        **service_environment(conninfo, folder),
        "HEARTBEAT_FILE": str(folder / "heartbeat"),
        "METRICS_PORT": str(free_port()),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "ingest", "run"], cwd=ROOT, env={**os.environ, **environment}
    )
    try:
        eventually((folder / "heartbeat").exists)
        yield
    finally:
        process.terminate()
        process.wait(timeout=15)


def freshness(folder: Path, conninfo: str) -> dict[str, tuple[float, str]]:
    """Median and worst of 100 new and 100 known users."""
    with topic() as name, ingest(folder, conninfo, name):
        slots = Slots(folder, conninfo, name)
        publish(slots.models, 610)
        blue, green = slots.start("blue", VERSION), slots.start("green", VERSION)
        try:
            with nginx(folder, slots.state, blue.port, green.port) as door:
                producer = KafkaProducer(bootstrap_servers=KAFKA)
                warm_up(door.port, producer, name, conninfo)
                with ThreadPoolExecutor(AT_A_TIME) as people:
                    users = [user for pair in zip(KNOWN, NEW, strict=True) for user in pair]
                    waited = list(
                        people.map(
                            lambda user: seconds_to_change(door.port, producer, name, user), users
                        )
                    )
                producer.close()
        finally:
            slots.end()
    return figures(waited)


def figures(waited: Sequence[float]) -> dict[str, tuple[float, str]]:
    """Of all, and the medians of both kinds of users; known and new take turns."""
    return {
        "freshness_median_s": (median(waited), "s"),
        "freshness_worst_s": (max(waited), "s"),
        "freshness_known_median_s": (median(waited[::2]), "s"),
        "freshness_new_median_s": (median(waited[1::2]), "s"),
    }


def warm_up(port: int, producer: KafkaProducer, topic: str, conninfo: str) -> None:
    """Wait until lines land at all."""
    seconds_to_change(port, producer, topic, 4_000_000)
    with psycopg.connect(conninfo) as connection:
        (count,) = connection.execute("SELECT count(*) FROM rating").fetchone()  # type: ignore[misc] # count gives a row
    assert count == RATINGS


def seconds_to_change(port: int, producer: KafkaProducer, topic: str, user: int) -> float:
    """Send five ratings, and ask until the answer is another."""
    before = get(port, f"/recommend/{user}")
    begun = time.monotonic()
    for number in range(RATINGS):
        movie = f"a+movie+of+usual+length+{(user * 7 + number * 101) % MOVIES}+1999"
        line = format_line(Rated(datetime.now(UTC), user, movie, 5.0))
        producer.send(topic, line, partition=user % 2)
    producer.flush()
    while get(port, f"/recommend/{user}") == before:
        if time.monotonic() > begun + GIVE_UP_SECONDS:
            raise TimeoutError(f"the list of user {user} did not change")
        time.sleep(POLL_SECONDS)
    return time.monotonic() - begun

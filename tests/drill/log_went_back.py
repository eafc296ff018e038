"""A broker that is given its disk of a while ago, as after a power cut or a restored snapshot."""

import signal
import time
from threading import Event

import psycopg
from kafka import TopicPartition

from ingest.kafka.broker import KafkaSettings, asking, log_bounds
from ingest.kafka.reader import lines_at
from ingest.kafka.shifts import as_stored, offset_shifts
from ingest.landing.landed import is_landed
from ingest.lines.grammar import ONE_TO_FIVE
from tests.drill.containers import await_kafka, kafka
from tests.drill.line import PARTITIONS, Line, line, publish
from tests.engine import docker

DATA = "/var/lib/kafka/data"
SNAPSHOT = "/tmp/snapshot"  # noqa: S108 -- in a container of its own
START = (
    f"if [ -e {SNAPSHOT}/restore ]; then rm -rf {DATA}/*; cp -a {SNAPSHOT}/data/. {DATA};"
    f" rm {SNAPSHOT}/restore; fi; exec start-kafka"
)
COMPARED = 50


def log_went_back(count: int, lines: int) -> str:
    """Take the newest lines from the broker again and again, and let as many others come."""
    said = []
    with kafka(START) as (servers, container), line(kafka=servers) as way:
        landed = 0
        for turn in range(count):
            process = way.start()
            publish(way, lines, seed=3 * turn)
            way.wait(landed := landed + lines)
            take_snapshot(container)
            publish(way, lines, seed=3 * turn + 1)
            way.wait(landed := landed + lines)
            # every other time it is asleep meanwhile, and finds a log that is longer than before
            if turn % 2:
                process.send_signal(signal.SIGSTOP)
            restore_snapshot(container)
            await_kafka(servers)
            publish(way, 2 * lines, seed=3 * turn + 2)
            process.send_signal(signal.SIGCONT)
            assert process.wait(timeout=120) == 1, way.said()
            assert way.landed() == landed, "lines of the other log landed"
            said.append(way.last_error())
            way.command("accept-truncation", "drill")
            way.start()
            way.wait(landed := landed + 2 * lines)
            way.end()
        compare_newest(way)
        found = way.compare_rows(
            {number: range(landed // PARTITIONS) for number in range(PARTITIONS)}
        )
        return f"{found}; {said[-1]}"


def take_snapshot(container: str) -> None:
    time.sleep(1)  # nobody writes by now
    docker(
        "exec",
        container,
        "sh",
        "-c",
        f"rm -rf {SNAPSHOT}; mkdir {SNAPSHOT}; cp -a {DATA} {SNAPSHOT}",
    )


def restore_snapshot(container: str) -> None:
    docker("exec", container, "touch", f"{SNAPSHOT}/restore")
    docker("kill", container)
    docker("start", container)


def compare_newest(way: Line) -> None:
    """The newest lines of each partition must be those that landed at their offsets."""
    settings = KafkaSettings(kafka_servers=way.kafka)
    with asking(settings) as consumer, psycopg.connect(way.owner) as connection:
        shifts = offset_shifts(connection, way.topic)
        for number, held in log_bounds(consumer, way.topic).items():
            newest = range(held.stop - COMPARED, held.stop)
            for part in lines_at(consumer, TopicPartition(way.topic, number), newest, Event()):
                stored = as_stored(part, shifts)
                for offset, text in zip(stored.offsets, stored.lines, strict=True):
                    assert is_landed(connection, ONE_TO_FIVE, number, offset, text), text

"""Reads the topic and hands batches to `ingest.landing`, for as long as the process lives.

One session reads from where the stored offsets end, on fresh connections, until anything
goes wrong; then the next session begins after a pause. So every fault, a lost connection,
a fenced batch, a partition more, has the same cure, and only PostgreSQL knows how far we are.
While one batch lands in a thread beside, the next is being read.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from threading import Event

import psycopg
import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import (
    AuthorizationError,
    KafkaError,
    OffsetOutOfRangeError,
    UnknownTopicOrPartitionError,
)

from ingest.errors import FencedError, LostOffsetsError, NoPartitionError
from ingest.landing import Landing, connect, store_first_offsets, stored_offsets
from ingest.metrics import (
    BATCH_SECONDS,
    LAG_RECORDS,
    LAG_SECONDS,
    LAST_COMMIT,
    REJECTS,
    ROWS,
)
from ingest.rows import Slice
from ingest.settings import IngestSettings, Start

LOG = structlog.get_logger()

PASSING = (
    psycopg.OperationalError,
    psycopg.InternalError,  # a transaction that PostgreSQL ended for its length
    KafkaError,
    FencedError,
    NoPartitionError,
)
LONGEST_PAUSE_SECONDS = 5.0
LONGEST_SILENCE_SECONDS = 10.0
ANSWER_MS = 5_000
TOPIC_AGE_MS = 5_000
POLL_MS = 100

type Records = dict[int, list[ConsumerRecord]]


def run(settings: IngestSettings, conninfo: str, now: Callable[[], datetime], stop: Event) -> None:
    """Land the topic until `stop` is set; then land the batch in hand and return.

    Outages of Kafka and PostgreSQL are waited out.

    Raises:
        LostOffsetsError: the broker no longer has lines that were not read yet.
        WrongTopicError: the database holds another topic.
        AuthorizationError: the broker does not let us read the topic.
    """
    failures = 0
    while not stop.is_set():
        try:
            for _ in _session(settings, conninfo, now, stop):
                failures = 0
                settings.heartbeat_file.touch()
        except AuthorizationError:
            raise
        except PASSING as error:
            failures += 1
            pause = _pause_seconds(failures)
            LOG.warning("will try again", after_seconds=round(pause, 2), error=str(error))
            settings.heartbeat_file.touch()
            stop.wait(pause)


def _pause_seconds(failures: int) -> float:
    longest = min(LONGEST_PAUSE_SECONDS, 0.1 * 2 ** min(failures, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311 -- spreads retries, guards nothing


def _session(
    settings: IngestSettings, conninfo: str, now: Callable[[], datetime], stop: Event
) -> Iterator[None]:
    """Read and land until `stop` is set or the topic has other partitions; yields each turn."""
    topic = settings.kafka_topic
    with (
        connect(conninfo) as connection,
        _consumer(settings) as consumer,
        ThreadPoolExecutor(1, "landing") as beside,
    ):
        positions = _take_up(consumer, connection, topic, settings.start_from)
        landing = Landing(connection, topic, settings.scale, settings.clock_tolerance)
        landed = beside.submit(_land, landing, [], now)
        heard_at = time.monotonic()
        while not stop.is_set() and consumer.partitions_for_topic(topic) <= positions.keys():
            records = _read(consumer, settings, stop)
            landed.result()
            batch = list(_slices(records, positions))
            positions |= {part.log_partition: part.next_offset for part in batch}
            landed = beside.submit(_land, landing, batch, now)
            heard_at = _heard_at(consumer, records, heard_at)
            _show_lag(consumer, topic, positions, records, now())
            yield
        landed.result()


def _heard_at(consumer: KafkaConsumer, records: Records, before: float) -> float:
    """When the broker last gave a sign of life; asks for one when it was silent for long.

    An idle topic and a broker that is gone look the same to a poll; this raises.
    """
    if not records:
        if time.monotonic() - before < LONGEST_SILENCE_SECONDS:
            return before
        consumer.end_offsets(list(consumer.assignment()), timeout_ms=ANSWER_MS)
    return time.monotonic()


@contextmanager
def _consumer(settings: IngestSettings) -> Iterator[KafkaConsumer]:
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka_servers,
        client_id="marquee-ingest",
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        allow_auto_create_topics=False,
        max_poll_records=settings.batch_lines,
        metadata_max_age_ms=TOPIC_AGE_MS,
        bootstrap_timeout_ms=4_000,
        request_timeout_ms=10_000,
        reconnect_backoff_max_ms=2_000,
    )
    try:
        yield consumer
    finally:
        consumer.close(autocommit=False, timeout_ms=1_000)


def _take_up(
    consumer: KafkaConsumer, connection: psycopg.Connection, topic: str, start: Start
) -> dict[int, int]:
    """Point the consumer to where the stored offsets end; the position in each partition."""
    in_topic = consumer.partitions_for_topic(topic)
    if not in_topic:
        raise UnknownTopicOrPartitionError(f"there is no topic {topic}")
    stored = stored_offsets(connection, topic)
    unseen = [TopicPartition(topic, number) for number in in_topic - stored.keys()]
    if unseen:
        # lines in a partition added later are all new, wherever the first ones were begun
        latest = start is Start.LATEST and not stored
        first = consumer.end_offsets(unseen) if latest else consumer.beginning_offsets(unseen)
        store_first_offsets(connection, topic, {at.partition: first[at] for at in unseen})
        stored = stored_offsets(connection, topic)
    positions = {number: stored[number] for number in in_topic}
    consumer.assign([TopicPartition(topic, number) for number in positions])
    for number, offset in positions.items():
        consumer.seek(TopicPartition(topic, number), offset)
    LOG.info("reading", topic=topic, positions=positions)
    return positions


def _read(consumer: KafkaConsumer, settings: IngestSettings, stop: Event) -> Records:
    """Records until there are enough for a batch or its time is over."""
    records: Records = {}
    missing = settings.batch_lines
    until = time.monotonic() + settings.batch_time.total_seconds()
    while missing > 0 and time.monotonic() < until and not stop.is_set():
        try:
            polled = consumer.poll(timeout_ms=POLL_MS, max_records=missing)
        except OffsetOutOfRangeError as error:
            raise LostOffsetsError(_what_is_lost(consumer, error)) from error
        for partition, fetched in polled.items():
            records.setdefault(partition.partition, []).extend(fetched)
            missing -= len(fetched)
    return records


def _what_is_lost(consumer: KafkaConsumer, error: OffsetOutOfRangeError) -> str:
    said = []
    for partition, wanted in error.args[0].items():
        first = consumer.beginning_offsets([partition])[partition]
        end = consumer.end_offsets([partition])[partition]
        lost = f"{first - wanted} lines are gone" if wanted < first else "its log was made anew"
        said.append(
            f"{partition.topic}/{partition.partition}: next is offset {wanted},"
            f" the broker has {first} to {end}: {lost}"
        )
    return "; ".join(said)


def _slices(records: Records, positions: Mapping[int, int]) -> Iterator[Slice]:
    """The lines of each partition from its position on."""
    for log_partition, of_partition in sorted(records.items()):
        first_offset = positions[log_partition]
        yield Slice(log_partition, first_offset, _lines(of_partition, first_offset))


def _lines(records: Sequence[ConsumerRecord], first_offset: int) -> list[bytes]:
    """A line for each offset; an empty one where the broker has no record or no value.

    Offsets are without records where a transaction ended or a topic was compacted.
    """
    length = records[-1].offset + 1 - first_offset
    if length == len(records):
        return [record.value or b"" for record in records]
    lines = [b""] * length
    for record in records:
        lines[record.offset - first_offset] = record.value or b""
    return lines


def _land(landing: Landing, batch: Sequence[Slice], now: Callable[[], datetime]) -> None:
    if batch:
        with BATCH_SECONDS.time():
            rows = landing.land(batch, now())
        LAST_COMMIT.set(now().timestamp())
        for table, lines in rows.of.items():
            ROWS.labels(table).inc(len(lines))
        for reason, count in rows.refused.items():
            REJECTS.labels(reason).inc(count)


def _show_lag(
    consumer: KafkaConsumer,
    topic: str,
    positions: Mapping[int, int],
    records: Records,
    now: datetime,
) -> None:
    waiting = 0
    for number, position in positions.items():
        end = consumer.highwater(TopicPartition(topic, number)) or position
        LAG_RECORDS.labels(number).set(end - position)
        waiting += end - position
    newest = min((of[-1].timestamp for of in records.values()), default=None)
    if not waiting:
        LAG_SECONDS.set(0)
    elif newest is not None:
        LAG_SECONDS.set(max(0.0, now.timestamp() - newest / 1000))

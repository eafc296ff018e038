"""Reads the topic and hands batches to the landing, for as long as the process lives.

One session reads from where the stored offsets end, on fresh connections, until anything
goes wrong; then the next session begins after a pause. So every fault, a lost connection,
a fenced batch, a partition more, has the same cure, and only PostgreSQL knows how far we are.
While PostgreSQL takes one batch from a thread beside, the next is being read and encoded.
"""

import gc
import random
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event

import psycopg
import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import (
    KafkaError,
    UnknownTopicOrPartitionError,
    UnsupportedCodecError,
)

from compose.service.watchdog import watched
from ingest.errors import (
    FencedError,
    MissingTopicError,
    NoPartitionError,
    RefusedError,
    UnreadableError,
)
from ingest.kafka.broker import asking, refusals_raised
from ingest.kafka.reader import Batch, Silence, lines_at, read_batch, reader
from ingest.kafka.shifts import NO_SHIFT, Shift, as_stored, offset_shifts
from ingest.kafka.start import start_positions
from ingest.kafka.truncation import check_log
from ingest.landing.admission_rules import AdmissionRules, admission_rules
from ingest.landing.transaction import Landing, Prepared, connect
from ingest.lines.slices import Slice, newest_publication
from ingest.metrics import (
    BATCH_LINES,
    BATCH_SECONDS,
    CLOCK_BEHIND,
    DUPLICATES,
    FAILED_ATTEMPTS,
    LAG_RECORDS,
    LAG_SECONDS,
    LAST_COMMIT,
    REJECTS,
    ROWS,
    UNCOMMITTED_RECORDS,
)
from ingest.settings import IngestSettings

LOG = structlog.get_logger()

PASSING = (
    psycopg.OperationalError,
    psycopg.InternalError,  # a transaction that PostgreSQL ended for its length
    KafkaError,
    FencedError,
    NoPartitionError,
)
OBJECTS_BETWEEN_COLLECTIONS = 200_000
THREAD_TURN_SECONDS = 0.0005
"""Shorter than Python's own: what PostgreSQL or the broker is waiting for is done at once."""
LONGEST_PAUSE_SECONDS = 5.0
PROGRESS_SECONDS = 10.0
FAR_BEHIND = 100_000
TOPIC_GRACE_SECONDS = 60.0
"""Whoever is to make the topic may start after us."""


def run(settings: IngestSettings, conninfo: str, now: Callable[[], datetime], stop: Event) -> None:
    """Land the topic until `stop` is set; then land the batch in hand and return.

    Outages of Kafka and PostgreSQL are waited out; the heartbeat stands still meanwhile.

    Raises:
        LostOffsetsError: the broker no longer has lines that were not read yet.
        TruncatedLogError: the broker lost the tail of what was read already.
        WrongTopicError: the database holds another topic.
        RefusedError: the broker does not let us in, or is not the one we trust; or PostgreSQL
            lacks a table or a right.
        MissingTopicError: there is no such topic.
        UnreadableError: its lines are compressed by what we have no codec for, or packed from too
            much, or damaged.
    """
    # records and rows come by the million and none is part of a cycle
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    sys.setswitchinterval(THREAD_TURN_SECONDS)
    with watched() as turned:
        _run_sessions(settings, conninfo, now, stop, turned)


def _run_sessions(
    settings: IngestSettings,
    conninfo: str,
    now: Callable[[], datetime],
    stop: Event,
    turned: Callable[[], None],
) -> None:
    failures, well_at = 0, time.monotonic()
    while not stop.is_set():
        turned()
        try:
            for _ in _session(settings, conninfo, now, stop):
                failures, well_at = 0, time.monotonic()
                FAILED_ATTEMPTS.set(0)
                settings.heartbeat_file.touch()
                turned()
        except (*PASSING, psycopg.ProgrammingError) as error:
            _raise_what_stays(error, settings.kafka_topic, time.monotonic() - well_at)
            failures += 1
            FAILED_ATTEMPTS.set(failures)
            pause = _pause_seconds(failures)
            LOG.warning("will try again", after_seconds=round(pause, 2), error=str(error))
            stop.wait(pause)


def _raise_what_stays(error: Exception, topic: str, failing_seconds: float) -> None:
    """Raise as what it is an error that no retry cures."""
    match error:
        case psycopg.ProgrammingError():
            raise RefusedError(f"PostgreSQL is not as ingest needs it: {error}") from error
        case UnsupportedCodecError():
            raise UnreadableError(f"the lines of {topic} cannot be unpacked: {error}") from error
        case UnknownTopicOrPartitionError() if failing_seconds > TOPIC_GRACE_SECONDS:
            raise MissingTopicError(
                f"the broker has no topic {topic} (see KAFKA_SERVERS and KAFKA_TOPIC)"
            ) from error
        case _:
            return


def _pause_seconds(failures: int) -> float:
    longest = min(LONGEST_PAUSE_SECONDS, 0.1 * 2 ** min(failures, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311 -- spreads retries, guards nothing


def _session(
    settings: IngestSettings, conninfo: str, now: Callable[[], datetime], stop: Event
) -> Iterator[None]:
    """Read and land until `stop` is set or the topic has other partitions; yields each turn."""
    topic = settings.kafka_topic
    with (
        refusals_raised() as heard,
        connect(conninfo) as connection,
        reader(settings) as consumer,
        ThreadPoolExecutor(1, "landing") as beside,
    ):
        positions = start_positions(consumer, connection, settings)
        epochs = check_log(consumer, connection, topic)
        shifts = offset_shifts(connection, topic)
        admission = admission_rules(connection, settings)
        landing = landing_of(connection, settings, admission)
        for part in _landed_before(consumer, positions, shifts, settings, stop):
            landing.remember(as_stored(part, shifts))
            yield
        _take_up(consumer, topic, positions)
        landed = beside.submit(_land, landing, admission, landing.prepare((), now()), now)
        silence, progress = Silence(consumer), CatchUpProgress(time.monotonic)
        clock = SlowClock(settings.clock_tolerance, time.monotonic)
        while not stop.is_set() and consumer.partitions_for_topic(topic) <= positions.keys():
            batch = read_batch(consumer, positions, settings, stop)
            clock.compare(now(), newest_publication(batch.slices))
            lines = [as_stored(part, shifts) for part in batch.slices]
            prepared = landing.prepare(lines, now())
            landed.result()
            if heard.trouble() or _led_by_others(batch, epochs):
                with asking(settings) as other:
                    epochs = check_log(other, connection, topic)
            epochs |= {part.log_partition: part.leader_epoch for part in batch.slices if part.lines}
            positions |= {part.log_partition: part.next_offset for part in batch.slices}
            landed = beside.submit(_land, landing, admission, prepared, now)
            if batch.cut_by:
                landed.result()
                raise batch.cut_by
            silence.check(heard=bool(batch.slices))
            progress.say(
                _show_lag(consumer, topic, positions, batch, now()), sum(positions.values())
            )
            yield
        landed.result()


def landing_of(
    connection: psycopg.Connection, settings: IngestSettings, admission: AdmissionRules
) -> Landing:
    """The landing that these settings describe."""
    return Landing(
        connection,
        settings.kafka_topic,
        admission,
        window_lines=settings.window_lines,
        across_partitions=settings.doubles_across_partitions,
    )


def _led_by_others(batch: Batch, epochs: Mapping[int, int | None]) -> bool:
    """Whether lines were written by another leader than those before them, which it may lack."""
    return any(
        part.leader_epoch != epochs[part.log_partition]
        for part in batch.slices
        if part.lines and part.log_partition in epochs
    )


def _landed_before(
    consumer: KafkaConsumer,
    positions: Mapping[int, int],
    shifts: Mapping[int, Shift],
    settings: IngestSettings,
    stop: Event,
) -> Iterator[Slice]:
    """Read once more what landed last, so that its duplicates are still known after a restart."""
    for number, position in positions.items():
        at = TopicPartition(settings.kafka_topic, number)
        oldest = shifts.get(number, NO_SHIFT).first_at_broker
        first = max(0, oldest, position - settings.window_lines)
        yield from lines_at(consumer, at, range(first, position), stop)


def _take_up(consumer: KafkaConsumer, topic: str, positions: Mapping[int, int]) -> None:
    consumer.assign([TopicPartition(topic, number) for number in positions])
    for number, offset in positions.items():
        consumer.seek(TopicPartition(topic, number), offset)


def _land(
    landing: Landing, admission: AdmissionRules, prepared: Prepared, now: Callable[[], datetime]
) -> None:
    if not prepared.batch:
        admission.know(now())
        return
    with BATCH_SECONDS.time():
        rows = landing.land(prepared, now())
    LAST_COMMIT.set(now().timestamp())
    BATCH_LINES.observe(sum(len(part.lines) for part in prepared.batch))
    for table, count in rows.count.items():
        ROWS.labels(table).inc(count)
    DUPLICATES.inc(rows.count["duplicate"])
    for reason, count in rows.rejected.items():
        REJECTS.labels(reason).inc(count)


def _show_lag(
    consumer: KafkaConsumer, topic: str, positions: Mapping[int, int], batch: Batch, now: datetime
) -> int:
    """Tell Prometheus how much waits to be read, and how much for its transaction; in offsets."""
    waiting = 0
    ends = _ends(consumer, topic, positions, {part.log_partition for part in batch.slices})
    for number, position in positions.items():
        end = consumer.highwater(TopicPartition(topic, number)) or position
        readable = max(position, ends.get(number, end))
        LAG_RECORDS.labels(number).set(readable - position)
        UNCOMMITTED_RECORDS.labels(number).set(max(0, end - readable))
        waiting += readable - position
    if not waiting:
        LAG_SECONDS.set(0)
    elif batch.published_ms is not None:
        LAG_SECONDS.set(max(0.0, now.timestamp() - batch.published_ms / 1000))
    return waiting


def _ends(
    consumer: KafkaConsumer, topic: str, positions: Mapping[int, int], read: Collection[int]
) -> dict[int, int]:
    """Up to where partitions can be read that hold more, and yet gave nothing.

    What stands behind the beginning of a transaction that is still open is not to be had.
    """
    silent = [TopicPartition(topic, number) for number in positions.keys() - read]
    held_back = [at for at in silent if (consumer.highwater(at) or 0) > positions[at.partition]]
    ends = consumer.end_offsets(held_back) if held_back else {}
    return {at.partition: end for at, end in ends.items()}


class SlowClock:
    """Says, now and then, that lines are published later than it is here: our clock is slow."""

    def __init__(self, tolerance: timedelta, clock: Callable[[], float]) -> None:
        self._tolerance = tolerance
        self._clock = clock
        self._said_at = -PROGRESS_SECONDS

    def compare(self, now: datetime, published: datetime | None) -> None:
        """`published` is when a line was, by the clock of whoever did."""
        if published is None:
            return
        behind = published - now
        CLOCK_BEHIND.set(max(0.0, behind.total_seconds()))
        if behind > self._tolerance and self._clock() - self._said_at >= PROGRESS_SECONDS:
            self._said_at = self._clock()
            LOG.warning(
                "the clock of this host is slow, or the publishers' is fast",
                seconds=round(behind.total_seconds()),
            )


class CatchUpProgress:
    """Says now and then how far catching up has come, while much is left of it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._said_at = clock()
        self._read: int | None = None

    def say(self, waiting: int, read: int) -> None:
        """`waiting` lines are left; `read` is any count that grows by one a line."""
        before = read if self._read is None else self._read
        seconds = self._clock() - self._said_at
        if seconds >= PROGRESS_SECONDS:
            rate = (read - before) / seconds
            if waiting > FAR_BEHIND and rate > 0:
                LOG.info(
                    "catching up",
                    lines_left=waiting,
                    lines_per_second=round(rate),
                    minutes_left=round(waiting / rate / 60, 1),
                )
            self._said_at, before = self._clock(), read
        self._read = before

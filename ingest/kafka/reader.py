"""Reads lines from Kafka: a batch at a time, with a line or a gap for every offset."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import OffsetOutOfRangeError

from ingest.errors import LostOffsetsError, UnreadableError
from ingest.kafka.broker import consumer_of
from ingest.lines.grammar import without_ending
from ingest.lines.slices import Slice
from ingest.settings import IngestSettings

LONGEST_SILENCE_SECONDS = 10.0
ANSWER_MS = 5_000
TOPIC_AGE_MS = 5_000
POLL_MS = 100
POLL_RECORDS = 2_000
"""Few at once: records are far larger than their lines, and these stay in the cache."""
BATCH_BYTES = 8 << 20
"""More than log lines make of the largest batch, and in memory several times over, as text, too."""


def lines_of(records: Sequence[ConsumerRecord]) -> list[bytes]:
    """Their lines, without endings; empty where a record has no value."""
    lines = [record.value or b"" for record in records]
    if b"\n" in b"".join(lines):  # to ask each line would take longer
        return [without_ending(line) for line in lines]
    return lines


@dataclass(frozen=True)
class Batch:
    """What was read: the lines, and when the newest of them was published in ms since 1970.

    `cut_by` is why nothing more can be read after them; the consumer is of no use then.
    """

    slices: Sequence[Slice]
    published_ms: int | None
    cut_by: UnreadableError | None = None


class Gathered:
    """What was read of one partition so far."""

    def __init__(self, log_partition: int, first_offset: int) -> None:
        self._log_partition = log_partition
        self._first_offset = first_offset
        self._lines: list[bytes] = []
        self._gaps: list[range] = []
        self._leader_epoch: int | None = None
        self._published_ms: int | None = None
        self.next_offset = first_offset
        self.bytes = 0

    def add(self, records: Sequence[ConsumerRecord]) -> None:
        """Add a line for each record, and a gap wherever an offset is passed over."""
        if records[-1].offset + 1 - self.next_offset != len(records):
            for record in records:
                self.pass_over(record.offset)
                self.next_offset = record.offset + 1
        self.next_offset = records[-1].offset + 1
        newest = records[-1]
        self._leader_epoch = None if newest.leader_epoch == -1 else newest.leader_epoch
        self._published_ms = None if newest.timestamp == -1 else newest.timestamp
        lines = lines_of(records)
        self._lines += lines
        self.bytes += sum(map(len, lines))

    def pass_over(self, to_offset: int) -> None:
        """Note that no record stands before this offset."""
        if to_offset > self.next_offset:
            self._gaps.append(range(self.next_offset, to_offset))
            self.next_offset = to_offset

    def slice(self) -> Slice:
        """What was read since the beginning, as one slice."""
        return Slice(
            self._log_partition,
            self._first_offset,
            self._lines,
            self._gaps,
            self._leader_epoch,
            self._published_ms,
        )


@contextmanager
def reader(settings: IngestSettings) -> Iterator[KafkaConsumer]:
    """A consumer that never begins anywhere by itself."""
    consumer = consumer_of(
        settings,
        client_id="marquee-ingest",
        auto_offset_reset="none",
        allow_auto_create_topics=False,
        max_poll_records=POLL_RECORDS,
        metadata_max_age_ms=TOPIC_AGE_MS,
    )
    try:
        yield consumer
    finally:
        consumer.close(autocommit=False, timeout_ms=1_000)


def read_batch(
    consumer: KafkaConsumer, positions: Mapping[int, int], settings: IngestSettings, stop: Event
) -> Batch:
    """Lines from these positions on, until they are enough for a batch or its time is over.

    Raises:
        LostOffsetsError: the broker does not have the next lines.
    """
    gathered = {number: Gathered(number, position) for number, position in positions.items()}
    published_ms = {}
    missing, cut_by = settings.batch_lines, None
    until = time.monotonic() + settings.batch_time.total_seconds()
    while missing > 0 and time.monotonic() < until and not stop.is_set():
        try:
            polled = _poll(consumer, min(missing, POLL_RECORDS))
        except UnreadableError as error:
            cut_by = error
            break
        for number, records in polled.items():
            gathered[number].add(records)
            published_ms[number] = records[-1].timestamp
            missing -= len(records)
        if sum(of.bytes for of in gathered.values()) > BATCH_BYTES:
            break
    for number, of in gathered.items():
        of.pass_over(_position(consumer, TopicPartition(settings.kafka_topic, number)))
    slices = [of.slice() for number, of in gathered.items() if of.next_offset > positions[number]]
    return Batch(slices, min(published_ms.values(), default=None), cut_by)


def _position(consumer: KafkaConsumer, at: TopicPartition) -> int:
    """The offset that is read next: past the last record where those after it are nobody's."""
    return int(consumer.position(at, timeout_ms=0))


def _poll(consumer: KafkaConsumer, most: int) -> dict[int, list[ConsumerRecord]]:
    try:
        polled = consumer.poll(timeout_ms=POLL_MS, max_records=most)
    except OffsetOutOfRangeError as error:
        if lost := _what_is_lost(consumer, error):
            raise LostOffsetsError(lost) from error
        raise  # the log went back or was made anew: whoever begins again will say which
    except UnreadableError as error:
        raise UnreadableError(f"{error}; next is {_next_offsets(consumer)}") from error
    return {at.partition: records for at, records in polled.items()}


def _next_offsets(consumer: KafkaConsumer) -> str:
    """What is read next of each partition; kafka-python does not say of which it read."""
    return ", ".join(
        f"{at.topic}/{at.partition}: {_position(consumer, at)}"
        for at in sorted(consumer.assignment())
    )


def _what_is_lost(consumer: KafkaConsumer, error: OffsetOutOfRangeError) -> str:
    """Which lines are gone before they were read; nothing where the log ends too early."""
    said = []
    for partition, wanted in error.args[0].items():
        first = consumer.beginning_offsets([partition])[partition]
        if wanted < first:
            end = consumer.end_offsets([partition])[partition]
            said.append(
                f"{partition.topic}/{partition.partition}: next is offset {wanted}, the broker has"
                f" {first} to {end}: {first - wanted} lines are gone;"
                " `python -m ingest accept-loss` goes on without them"
            )
    return "; ".join(said)


class Silence:
    """Notices a broker that is gone; to a poll an idle topic looks the same."""

    def __init__(self, consumer: KafkaConsumer) -> None:
        self._consumer = consumer
        self._heard_at = time.monotonic()

    def check(self, *, heard: bool) -> None:
        """Ask the broker for a sign of life where none came for long; raises if it gives none."""
        silent = time.monotonic() - self._heard_at >= LONGEST_SILENCE_SECONDS
        if silent and not heard:
            self._consumer.end_offsets(list(self._consumer.assignment()), timeout_ms=ANSWER_MS)
        if silent or heard:
            self._heard_at = time.monotonic()


def lines_at(
    consumer: KafkaConsumer, at: TopicPartition, offsets: range, stop: Event
) -> Iterator[Slice]:
    """The lines at some offsets of one partition, as far as the broker still has them.

    Afterwards the consumer is assigned nothing else.
    """
    first = max(consumer.beginning_offsets([at])[at], offsets.start)
    if first < offsets.stop <= consumer.end_offsets([at])[at]:
        consumer.assign([at])
        consumer.seek(at, first)
        silence = Silence(consumer)
        while first < offsets.stop and not stop.is_set():
            records = _poll(consumer, POLL_RECORDS).get(at.partition, [])
            silence.check(heard=bool(records))
            gathered = Gathered(at.partition, first)
            if wanted := [record for record in records if record.offset < offsets.stop]:
                gathered.add(wanted)
            gathered.pass_over(min(offsets.stop, _position(consumer, at)))
            yield gathered.slice()
            first = gathered.next_offset

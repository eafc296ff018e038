"""Notices a log that went back: a broker that lost the tail of what was read from it already.

A power cut or a restored snapshot takes lines away that have landed, and new ones come to stand at
their offsets. Nothing of that shows in the offsets once the log has grown again, so the last line
that landed is looked up at the broker and compared.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import replace

import psycopg
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaTimeoutError

from ingest.deduplication.window import line_hash
from ingest.errors import FencedError, TruncatedLogError
from ingest.kafka.broker import log_bounds
from ingest.kafka.reader import lines_of
from ingest.kafka.shifts import NO_SHIFT, Shift, next_at_broker, note_shift, offset_shifts
from ingest.offsets import Tail, forget_tail, stored_tails

ANSWER_SECONDS = 10.0
POLL_MS = 200

type IsLanded = Callable[[int, int, bytes | None], bool]
"""Whether what landed of a partition at a stored offset is this line; None is no record."""


def check_log(
    consumer: KafkaConsumer, connection: psycopg.Connection, topic: str
) -> dict[int, int | None]:
    """Find the last line that landed of each partition where it stood; its leader epoch.

    Afterwards the consumer is assigned none of what it was.

    Raises:
        TruncatedLogError: the broker's log ends before what landed, or holds another line there.
    """
    tails = tails_at_broker(connection, topic)
    next_offsets = next_at_broker(connection, topic)
    told = [
        f"{topic}/{number}: {why}"
        for number, held in log_bounds(consumer, topic).items()
        if number in next_offsets
        and (
            why := what_is_wrong(
                consumer,
                TopicPartition(topic, number),
                next_offsets[number],
                tails.get(number),
                held,
            )
        )
    ]
    if told:
        raise TruncatedLogError(
            f"the broker's log went back: {'; '.join(told)}; lines that came after it did were not"
            " read: `python -m ingest accept-truncation` goes on with them"
        )
    return {number: tail.leader_epoch for number, tail in tails.items()}


def tails_at_broker(connection: psycopg.Connection, topic: str) -> dict[int, Tail]:
    """The last line that landed of each partition, at the broker's offset."""
    shifts = offset_shifts(connection, topic)
    return {
        number: replace(tail, log_offset=tail.log_offset - shifts.get(number, NO_SHIFT).added)
        for number, tail in stored_tails(connection, topic).items()
    }


def what_is_wrong(
    consumer: KafkaConsumer, at: TopicPartition, next_offset: int, tail: Tail | None, held: range
) -> str | None:
    """How the broker's log differs from what landed before an offset; None where it does not."""
    has = f"{next_offset} is next, the broker has {held.start} to {held.stop}"
    if held.stop < next_offset:
        return has
    if tail is None or tail.log_offset < held.start:
        return None  # nothing landed, or it expired at the broker
    record = record_at(consumer, at, tail.log_offset)
    if record is None or line_hash(*lines_of([record])) != tail.line_hash:
        return f"{has}, and not the line at {tail.log_offset} that landed"
    if tail.leader_epoch is not None and record.leader_epoch not in {tail.leader_epoch, -1}:
        return (
            f"{has}, and the line at {tail.log_offset} was written anew, under leader epoch"
            f" {record.leader_epoch} instead of {tail.leader_epoch}"
        )
    return None


def record_at(consumer: KafkaConsumer, at: TopicPartition, offset: int) -> ConsumerRecord | None:
    """The record at an offset before the log's end; None where there is none.

    Raises:
        KafkaTimeoutError: the broker gave nothing for too long.
    """
    consumer.assign([at])
    consumer.seek(at, offset)
    until = time.monotonic() + ANSWER_SECONDS
    while consumer.position(at, timeout_ms=0) <= offset:
        for record in consumer.poll(timeout_ms=POLL_MS, max_records=1).get(at, []):
            return record if record.offset == offset else None
        if time.monotonic() > until:
            raise KafkaTimeoutError(f"nothing was read of {at.topic}/{at.partition} at {offset}")
    return None


def truncations(
    consumer: KafkaConsumer, connection: psycopg.Connection, topic: str, is_landed: IsLanded
) -> dict[int, Shift]:
    """The shift with which each partition goes on whose log went back.

    It goes on at the first offset at which the broker has another line than landed there.
    """
    tails, shifts = tails_at_broker(connection, topic), offset_shifts(connection, topic)
    # in this order: what lands in between is in the log, and no log ends before it
    next_offsets = next_at_broker(connection, topic)
    held = log_bounds(consumer, topic)
    new = {}
    for number, next_offset in next_offsets.items():
        at, shift = TopicPartition(topic, number), shifts.get(number, NO_SHIFT)
        if number in held and what_is_wrong(
            consumer, at, next_offset, tails.get(number), held[number]
        ):
            begin = max(held[number].start, shift.first_at_broker)
            common = range(begin, min(held[number].stop, next_offset))
            first = first_other(consumer, at, common, shift, is_landed)
            stored = next_offset + shift.added
            new[number] = Shift(stored - first, stored)
    return new


def first_other(
    consumer: KafkaConsumer,
    at: TopicPartition,
    offsets: range,
    shift: Shift,
    is_landed: IsLanded,
) -> int:
    """The first of these offsets at which the broker has another line than landed.

    A log went back to some offset, and everything from there on is new.
    """

    def is_other(offset: int) -> bool:
        record = record_at(consumer, at, offset)
        line = lines_of([record])[0] if record else None
        return not is_landed(at.partition, offset + shift.added, line)

    return offsets.start + bisect_left(offsets, x=True, key=is_other)


def accept_truncations(
    connection: psycopg.Connection, topic: str, new: Mapping[int, Shift], reason: str
) -> None:
    """Write down with which shift partitions go on, and have reading go on so.

    Raises:
        FencedError: a partition has moved on meanwhile; nothing was changed.
    """
    with connection.transaction():
        for number, shift in new.items():
            topic_id = forget_tail(connection, topic, number, shift.first_stored)
            if topic_id is None:
                raise FencedError(f"partition {number} is no longer at {shift.first_stored}")
            note_shift(connection, topic_id, number, shift, reason)

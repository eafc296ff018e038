"""Says before it begins how long a stream that already exists takes to land, and how much disk.

Some lines from all over the topic are read, parsed and copied, into tables that are gone
afterwards: what comes out is this stream's own figure on this machine.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from threading import Event

import psycopg
from kafka import TopicPartition
from psycopg import sql

from ingest.kafka.broker import log_bounds
from ingest.kafka.reader import read_batch, reader
from ingest.kafka.shifts import next_at_broker
from ingest.landing.rows import COLUMNS, Rules, encode
from ingest.landing.transaction import copy_rows
from ingest.settings import IngestSettings

PLACES = 10
LINES_A_PLACE = 2_000
GIB = 2**30


@dataclass(frozen=True)
class Estimate:
    """What waits in the topic and what it will take; `rejected` is a share of the lines."""

    lines: int
    seconds: float
    gib: float
    rejected: float


def estimate(
    connection: psycopg.Connection,
    rules: Rules,
    settings: IngestSettings,
) -> Estimate:
    """Try some of the lines that have not landed yet; nothing stays of it."""
    small = settings.model_copy(update={"batch_lines": LINES_A_PLACE, "batch_time": timedelta(1)})
    tried = rejected = size = 0
    with reader(small) as consumer, connection.transaction(force_rollback=True):
        waiting = _waiting(
            log_bounds(consumer, settings.kafka_topic),
            next_at_broker(connection, settings.kafka_topic),
        )
        _make_tables(connection)
        begun = time.perf_counter()
        for number, offset in _places(waiting):
            at = TopicPartition(settings.kafka_topic, number)
            consumer.assign([at])
            consumer.seek(at, offset)
            most = min(LINES_A_PLACE, waiting[number].stop - offset)
            read = small.model_copy(update={"batch_lines": most})
            for part in read_batch(consumer, {number: offset}, read, Event()).slices:
                rows = encode([part], rules, {})
                copy_rows(connection, rows)
                tried += len(part.lines)
                rejected += rows.count["reject"]
        seconds = time.perf_counter() - begun
        size = _size(connection)
    lines = sum(map(len, waiting.values()))
    share = lines / tried if tried else 0
    return Estimate(lines, seconds * share, size / GIB * share, rejected / tried if tried else 0)


def _waiting(held: Mapping[int, range], next_offsets: Mapping[int, int]) -> dict[int, range]:
    return {
        number: range(max(offsets.start, next_offsets.get(number, 0)), offsets.stop)
        for number, offsets in held.items()
    }


def _places(waiting: Mapping[int, range]) -> list[tuple[int, int]]:
    """Evenly spread offsets of each partition to begin a sample at, none read twice."""
    return [
        (number, offset)
        for number, offsets in waiting.items()
        for offset in offsets[:: max(LINES_A_PLACE, len(offsets) // PLACES)]
    ]


def _make_tables(connection: psycopg.Connection) -> None:
    # temporary tables come before others of the same name
    for table in COLUMNS:
        connection.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} (LIKE public.{})").format(
                sql.Identifier(table), sql.Identifier(table)
            )
        )


def _size(connection: psycopg.Connection) -> int:
    row = connection.execute(
        "SELECT sum(pg_table_size(('pg_temp.' || name)::regclass))::bigint"
        " FROM unnest(%s::text[]) AS name",
        (list(COLUMNS),),
    ).fetchone()
    return int(row[0]) if row else 0

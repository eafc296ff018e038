"""Drops one partition, with its rows counted exactly, and does not hold up ingest meanwhile.

Counting takes long and must not stop ingest, yet ingest may add late lines meanwhile. So
what stands before the stored offsets is counted without a lock; with the lock, only what
came after them.
"""

from datetime import datetime
from importlib.resources import files

import psycopg
from psycopg import sql

from ingest.errors import PartitionInUseError
from ingest.offsets import landed_offsets
from ingest.partition import Partition
from ingest.tables import metadata

COUNT = files("ingest.retention").joinpath("count_dropped.sql").read_text()
END_OF_LOG = 2**63 - 1
A_LINE_EACH = {
    "rows": sql.SQL("count(*)"),
    "offsets": sql.SQL("sum(log_offset)"),
    "last": sql.SQL("max(log_offset)"),
}
A_RANGE_EACH = {
    "rows": sql.SQL("sum(offset_count)"),
    "offsets": sql.SQL(
        "sum(offset_count::numeric * log_offset"
        " + div(offset_count::numeric * (offset_count - 1), 2))"
    ),
    "last": sql.SQL("max(log_offset + offset_count - 1)"),
}
"""What the rows of a table say of offsets, in SQL."""
TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtext('rows of old offsets'))"
"""Held by whatever counts or adds rows before the stored offsets."""
# ingest's next batch waits behind both: for the lock, then for each short statement under it
WAIT_FOR_LOCK = "SET LOCAL lock_timeout = '50ms'"
WORK_UNDER_LOCK = "SET LOCAL statement_timeout = '20ms'"
# a COMMIT cancelled before it begins, as on a busy machine, leaves its transaction open and failed
WITHOUT_TIME_LIMIT = "SET LOCAL statement_timeout = 0"


def drop_partition(connection: psycopg.Connection, partition: Partition, now: datetime) -> None:
    """Count a partition's rows into `dropped_rows`, drop it, and write that down.

    Raises:
        PartitionInUseError: others are using the table, or rows came in that are not rolled
            up; nothing was done.
    """
    try:
        with connection.transaction():
            _count_and_drop(connection, partition, now)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled) as error:
        raise PartitionInUseError("the table is in use") from error


def _count_and_drop(connection: psycopg.Connection, partition: Partition, now: datetime) -> None:
    connection.execute(TAKE_TURNS)
    has_offsets = "log_offset" in metadata.tables[partition.table].c
    landed = landed_offsets(connection) if has_offsets else {}
    for log_partition, offset in landed.items():
        _count(connection, partition, log_partition, 0, offset)
    _lock(connection, partition.table)
    for log_partition, offset in landed.items():
        _count(connection, partition, log_partition, offset, END_OF_LOG)
    if partition.table == "watch":
        _check_rolled_up(connection, partition)
    connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(partition.name)))
    connection.execute(
        "UPDATE dropped_partition SET dropped_at = %s WHERE partition_name = %s",
        (now, partition.name),
    )
    connection.execute(WITHOUT_TIME_LIMIT)


def _lock(connection: psycopg.Connection, table: str) -> None:
    # rows reach a partition only through its table, so that lock is enough to count
    connection.execute(WAIT_FOR_LOCK)
    connection.execute(
        sql.SQL("LOCK TABLE ONLY {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(table))
    )
    connection.execute(WORK_UNDER_LOCK)


def _count(
    connection: psycopg.Connection,
    partition: Partition,
    log_partition: int,
    from_offset: int,
    to_offset: int,
) -> None:
    by_range = "offset_count" in metadata.tables[partition.table].c
    terms = A_RANGE_EACH if by_range else A_LINE_EACH
    connection.execute(
        sql.SQL(COUNT).format(partition=sql.Identifier(partition.name), **terms),
        {
            "name": partition.name,
            "log_partition": log_partition,
            "from_offset": from_offset,
            "to_offset": to_offset,
        },
    )


def _check_rolled_up(connection: psycopg.Connection, partition: Partition) -> None:
    progress = connection.execute("SELECT log_partition, next_offset FROM viewing_progress")
    for log_partition, next_offset in progress.fetchall():
        left = sql.SQL(
            "SELECT FROM {} WHERE log_partition = %s AND log_offset >= %s LIMIT 1"
        ).format(sql.Identifier(partition.name))
        if connection.execute(left, (log_partition, next_offset)).fetchone() is not None:
            raise PartitionInUseError("watched minutes came in that are not rolled up yet")

"""Walks through what has landed, a range of offsets at a time, and remembers how far.

The work on a range and the note that it is done are one transaction, so each line is
worked on exactly once, whatever is killed in between.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import psycopg
from psycopg import sql

LONGEST_RANGE = 1_000_000

type ProgressTable = Literal["viewing_progress", "catalogue_progress"]


@dataclass(frozen=True)
class OffsetRange:
    """Lines from `from_offset` up to, not including, `to_offset`."""

    log_partition: int
    from_offset: int
    to_offset: int


def walk(
    connection: psycopg.Connection, progress: ProgressTable, work: Callable[[OffsetRange], None]
) -> None:
    """Do `work`, on this connection, on all that landed since the last walk.

    The connection must be in autocommit mode.
    """
    walking = True
    while walking:
        with connection.transaction():
            walking = _step(connection, progress, work)


def _step(
    connection: psycopg.Connection, progress: ProgressTable, work: Callable[[OffsetRange], None]
) -> bool:
    ahead = _next_range(connection, progress)
    if ahead:
        work(ahead)
        connection.execute(
            sql.SQL("UPDATE {} SET next_offset = %s WHERE log_partition = %s").format(
                sql.Identifier(progress)
            ),
            (ahead.to_offset, ahead.log_partition),
        )
    return ahead is not None


def _next_range(connection: psycopg.Connection, progress: ProgressTable) -> OffsetRange | None:
    table = {"progress": sql.Identifier(progress)}
    connection.execute(
        sql.SQL(
            "INSERT INTO {progress} (log_partition, next_offset)"
            " SELECT log_partition, first_offset FROM stream_offset ON CONFLICT DO NOTHING"
        ).format(**table)
    )
    row = connection.execute(
        sql.SQL(
            "SELECT log_partition, done.next_offset,"
            " least(landed.next_offset, done.next_offset + %s)"
            " FROM {progress} AS done JOIN stream_offset AS landed USING (log_partition)"
            " WHERE done.next_offset < landed.next_offset"
            " ORDER BY log_partition LIMIT 1 FOR UPDATE OF done"
        ).format(**table),
        (LONGEST_RANGE,),
    ).fetchone()
    return OffsetRange(*row) if row else None

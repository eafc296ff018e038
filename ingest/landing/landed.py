"""What landed at one offset of the stream, compared with a line."""

from dataclasses import astuple
from typing import Any

import psycopg
from psycopg import sql

from ingest.landing.rows import TABLE_OF
from ingest.lines.grammar import KINDS, MAX_LINE_BYTES, RatingScale, Rejected, parse


def is_landed(
    connection: psycopg.Connection,
    scale: RatingScale,
    log_partition: int,
    log_offset: int,
    line: bytes | None,
) -> bool:
    """Whether what landed at this stored offset is this line; None stands for no record.

    Where no row is left (it expired, or was given up as lost), it counts as that line.
    """
    place = (log_partition, log_offset)
    if first := _first_of_double(connection, place):
        return is_landed(connection, scale, *first, line)
    if (row := _event(connection, place)) is not None:
        event = parse(line or b"", scale)
        return not isinstance(event, Rejected) and row == (TABLE_OF[type(event)], astuple(event))
    if (raw := _rejected(connection, place)) is not None:
        return line is not None and raw == line[:MAX_LINE_BYTES]
    return line is None or not _is_gap(connection, place)


def _event(
    connection: psycopg.Connection, place: tuple[int, int]
) -> tuple[str, tuple[Any, ...]] | None:
    """The table where the line's event is, and its own columns there."""
    for kind in KINDS:
        query = sql.SQL("SELECT {} FROM {} WHERE log_partition = %s AND log_offset = %s").format(
            sql.SQL(", ").join(map(sql.Identifier, kind.columns)), sql.Identifier(kind.table)
        )
        if row := connection.execute(query, place).fetchone():
            return kind.table, tuple(tuple(v) if isinstance(v, list) else v for v in row)
    return None


def _rejected(connection: psycopg.Connection, place: tuple[int, int]) -> bytes | None:
    row = connection.execute(
        "SELECT raw FROM reject WHERE log_partition = %s AND log_offset = %s", place
    ).fetchone()
    return row[0] if row else None


def _first_of_double(
    connection: psycopg.Connection, place: tuple[int, int]
) -> tuple[int, int] | None:
    return connection.execute(
        "SELECT first_partition, first_offset FROM duplicate"
        " WHERE log_partition = %s AND log_offset = %s",
        place,
    ).fetchone()


def _is_gap(connection: psycopg.Connection, place: tuple[int, int]) -> bool:
    row = connection.execute(
        "SELECT FROM offset_gap WHERE log_partition = %s AND %s BETWEEN log_offset"
        " AND log_offset + offset_count - 1",
        place,
    ).fetchone()
    return row is not None

"""Proves from the tables themselves that each consumed line is accounted for exactly once.

For each Kafka partition, the offsets consumed must be as many as the rows of all tables, those
at which the broker had no record, those given up as lost, and those counted when retention
dropped them, and must have the same sum: so a lost row is found even where another was doubled.

A full audit counts everything. An incremental one counts what came after the last audit that
balanced; it is cheap enough to run all the time, and misses what was changed before that.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from decimal import Decimal
from importlib.resources import files
from typing import Literal

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from compose.service.text_table import columns
from ingest.lines.grammar import KINDS

AUDIT = files("ingest.audit").joinpath("audit.sql").read_text()
COUNTED = (*(kind.table for kind in KINDS), "reject", "duplicate", "offset_gap")
SINCE = """
SELECT log_partition, greatest(first_offset, (
    SELECT max(ingest_audit.next_offset) FROM ingest_audit
    WHERE balanced AND ingest_audit.log_partition = stream_offset.log_partition))
FROM stream_offset
"""
DROPPED_SINCE = """
SELECT FROM dropped_rows
WHERE last_offset >= (SELECT max(next_offset) FROM ingest_audit
                      WHERE balanced AND log_partition = dropped_rows.log_partition)
"""

type Scope = Literal["full", "incremental"]


@dataclass(frozen=True)
class PartitionAudit:
    """The terms of one Kafka partition, in lines; as in the table `ingest_audit`."""

    log_partition: int
    scope: Scope
    first_offset: int
    consumed: int
    watches: int
    ratings: int
    requests: int
    accounts: int
    rejects: int
    duplicates: int
    gaps: int
    lost: int
    dropped: int
    offset_error: Decimal
    balanced: bool


def audit(
    connection: psycopg.Connection, now: datetime, scope: Scope = "full"
) -> list[PartitionAudit]:
    """Count in one snapshot, and keep the result in `ingest_audit`.

    An incremental audit becomes a full one where retention dropped lines that no audit has
    seen: of these only the number in their whole partition is known.
    """
    with connection.transaction(), connection.cursor(row_factory=class_row(PartitionAudit)) as rows:
        # locks first: else a partition dropped between snapshot and lock would be missed
        rows.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        counted = sql.SQL(", ").join(map(sql.Identifier, COUNTED))
        rows.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(counted))
        if rows.execute(DROPPED_SINCE).fetchone() is not None:
            scope = "full"
        statement = sql.SQL(AUDIT).format(reach=_reach(connection, scope))
        found = rows.execute(statement, {"audited_at": now, "scope": scope}).fetchall()
    return sorted(found, key=lambda partition: partition.log_partition)


def _reach(connection: psycopg.Connection, scope: Scope) -> sql.Composable:
    """Which rows are counted, in numbers: PostgreSQL then sees how few these are."""
    if scope == "full":
        return sql.SQL("")
    since = connection.execute(SINCE).fetchall()
    parts = [
        sql.SQL("log_partition = {} AND log_offset >= {}").format(number, offset)
        for number, offset in since
    ]
    return sql.SQL("WHERE {}").format(sql.SQL(" OR ").join(parts) if parts else sql.SQL("false"))


def audit_table(partitions: Sequence[PartitionAudit]) -> str:
    """The result as a table for people."""
    heading = [field.name.replace("_", " ") for field in fields(PartitionAudit)]
    return columns([heading, *([str(value) for value in astuple(row)] for row in partitions)])

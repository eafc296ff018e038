"""Proves from the tables themselves that each consumed line is accounted for exactly once.

For each Kafka partition, the offsets consumed must be as many as the rows of all tables
and those counted when retention dropped them, and must have the same sum: so a lost row
is found even where another was doubled.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from decimal import Decimal
from importlib.resources import files

import psycopg
from psycopg.rows import class_row

from ingest.report import columns

AUDIT = files("ingest").joinpath("audit.sql").read_bytes()


@dataclass(frozen=True)
class PartitionAudit:
    """The terms of one Kafka partition, in lines; as in the table `ingest_audit`."""

    log_partition: int
    consumed: int
    watches: int
    ratings: int
    requests: int
    accounts: int
    rejects: int
    dropped: int
    offset_error: Decimal
    balanced: bool


def audit(connection: psycopg.Connection, now: datetime) -> list[PartitionAudit]:
    """Count all tables in one snapshot, and keep the result in `ingest_audit`."""
    with connection.transaction(), connection.cursor(row_factory=class_row(PartitionAudit)) as rows:
        # locks first: else a partition dropped between snapshot and lock would be missed
        rows.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        rows.execute(
            "LOCK TABLE watch, rating, recommendation_request, account, reject IN ACCESS SHARE MODE"
        )
        found = rows.execute(AUDIT, {"audited_at": now}).fetchall()
    return sorted(found, key=lambda partition: partition.log_partition)


def audit_table(partitions: Sequence[PartitionAudit]) -> str:
    """The result as a table for people."""
    heading = [field.name.replace("_", " ") for field in fields(PartitionAudit)]
    return columns([heading, *([str(value) for value in astuple(row)] for row in partitions)])

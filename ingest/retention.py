"""One pass of retention: make partitions ahead, roll up viewings, drop what has expired.

A drop is an intent, written down first; then, in one transaction, the rows are counted for
the audit, the partition is dropped, and the deed is written down. A pass that was killed
in between leaves an intent, which the next pass carries out.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from importlib.resources import files

import psycopg
import structlog

from ingest.drop import drop_partition
from ingest.errors import PartitionInUseError
from ingest.expiry import Decision, decide
from ingest.metrics import DROPPED_PARTITIONS, LAST_RETENTION_PASS, OVERDUE_PARTITIONS
from ingest.partitions import PartitionSettings, existing_partitions, make_partitions
from ingest.progress import OffsetRange, walk
from ingest.report import columns
from ingest.tables import EVENT_TABLES, EventTable

LOG = structlog.get_logger()

VIEWINGS = files("ingest").joinpath("viewings.sql").read_bytes()
ATTEMPTS = 10


def retain(connection: psycopg.Connection, settings: PartitionSettings, now: datetime) -> None:
    """Do one pass. The connection must be in autocommit mode and have the role `retention`."""
    for partition in make_partitions(connection, settings, now):
        LOG.info("partition made", partition=partition.name)
    roll_up_viewings(connection)
    for table in EVENT_TABLES:
        decisions = list(_decisions(connection, table, settings, now))
        OVERDUE_PARTITIONS.labels(table.name).set(sum(decision.overdue for decision in decisions))
        for decision in decisions:
            if decision.drop:
                drop(connection, decision, now)
    forget_log_of_jobs(connection)
    LAST_RETENTION_PASS.set(now.timestamp())


def retention_table(
    connection: psycopg.Connection, settings: PartitionSettings, now: datetime
) -> str:
    """What a pass would drop now, and why the rest stays, as a table for people."""
    decisions = [
        decision
        for table in EVENT_TABLES
        for decision in _decisions(connection, table, settings, now)
    ]
    return columns([["partition", "would be", "because"], *map(_cells, decisions)])


def _cells(decision: Decision) -> list[str]:
    return [decision.partition.name, "dropped" if decision.drop else "kept", decision.reason]


def roll_up_viewings(connection: psycopg.Connection) -> None:
    """Add to `viewing` the watched minutes that landed since the last time, each once."""

    def add(landed: OffsetRange) -> None:
        connection.execute(VIEWINGS, asdict(landed))

    walk(connection, "viewing_progress", add)


def forget_log_of_jobs(connection: psycopg.Connection) -> None:
    """Delete what jobs said that are forgotten themselves."""
    connection.execute(
        "DELETE FROM job_log"
        " WHERE NOT EXISTS (SELECT FROM procrastinate_jobs WHERE id = job_log.job_id)"
    )


def _decisions(
    connection: psycopg.Connection,
    table: EventTable,
    settings: PartitionSettings,
    now: datetime,
) -> Iterator[Decision]:
    lease = connection.execute("SELECT min(held_from) FROM retention_lease").fetchone()
    judged_until = lease[0] if lease else None
    partitions = existing_partitions(connection, table.name)
    return decide(table, partitions, settings, now, judged_until)


def drop(connection: psycopg.Connection, decision: Decision, now: datetime) -> None:
    """Write down the intent and drop the partition; it stays where it is in use all the time."""
    intend(connection, decision, now)
    partition = decision.partition
    for _ in range(ATTEMPTS):
        try:
            drop_partition(connection, partition, now)
        except PartitionInUseError as error:
            LOG.info("partition stays for now", partition=partition.name, why=str(error))
            time.sleep(random.uniform(0.05, 0.3))  # noqa: S311 -- meets a gap between batches
        else:
            DROPPED_PARTITIONS.labels(partition.table).inc()
            LOG.info("partition dropped", partition=partition.name, why=decision.reason)
            return


def intend(connection: psycopg.Connection, decision: Decision, now: datetime) -> None:
    """Write down that a partition is to be dropped, and why."""
    partition = decision.partition
    connection.execute(
        "INSERT INTO dropped_partition"
        " (partition_name, relation, lower_bound, upper_bound, decided_at, reason)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (partition_name) DO UPDATE SET"
        " decided_at = excluded.decided_at, dropped_at = NULL, reason = excluded.reason",
        (
            partition.name,
            partition.table,
            partition.lower,
            partition.upper,
            now,
            decision.reason,
        ),
    )

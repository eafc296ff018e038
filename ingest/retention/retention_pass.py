"""One pass of retention: make partitions ahead, roll up viewings, drop what has expired.

A drop is an intent, written down first; then, in one transaction, the rows are counted for
the audit, the partition is dropped, and the deed is written down. A pass that was killed
in between leaves an intent, which the next pass carries out.
"""

import random
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from importlib.resources import files

import psycopg
import structlog
from psycopg import sql

from compose.service.text_table import columns
from ingest.checkpoint import OffsetRange, walk
from ingest.errors import PartitionInUseError
from ingest.metrics import (
    DROPPED_PARTITIONS,
    LAST_RETENTION_PASS,
    OVER_BUDGET,
    OVERDUE_PARTITIONS,
    STUCK_LEASE,
)
from ingest.partition import Partition
from ingest.retention.drop import drop_partition
from ingest.retention.expiry import (
    GIB,
    Decision,
    Lease,
    bound_pass,
    decide,
    doubt_clock,
    judged_until,
    keep_budget,
)
from ingest.retention.partition_settings import PartitionSettings
from ingest.retention.partitions import existing_partitions, make_partitions
from ingest.tables import EVENT_TABLES, EventTable

LOG = structlog.get_logger()

VIEWINGS = files("ingest.retention").joinpath("viewings.sql").read_bytes()
ATTEMPTS = 10
LINE_TABLES = ("watch", "rating", "recommendation_request", "account")
"""Where rows have the times of their lines."""


def retain(connection: psycopg.Connection, settings: PartitionSettings, now: datetime) -> None:
    """Do one pass. The connection must be in autocommit mode and have the role `retention`."""
    for partition in make_partitions(connection, settings, now):
        LOG.info("partition made", partition=partition.name)
    roll_up_viewings(connection)
    watch_leases(connection, settings, now)
    sizes = partition_sizes(connection)
    decisions = plan(connection, settings, sizes, now)
    show_plan(decisions, sizes, settings)
    keep_plan(connection, decisions, sizes, now)
    for decision in decisions:
        if decision.drop:
            drop(connection, decision, now)
    forget_log_of_jobs(connection)
    LAST_RETENTION_PASS.set(now.timestamp())


def retention_table(
    connection: psycopg.Connection, settings: PartitionSettings, now: datetime
) -> str:
    """What a pass would drop now, and why the rest stays, as a table for people."""
    sizes = partition_sizes(connection)
    decisions = plan(connection, settings, sizes, now)
    heading = ["partition", "would be", "MiB", "because"]
    return columns([heading, *(_cells(decision, sizes) for decision in decisions)])


def _cells(decision: Decision, sizes: Mapping[str, int]) -> list[str]:
    name = decision.partition.name
    fate = "dropped" if decision.drop else "kept"
    return [name, fate, f"{sizes.get(name, 0) / 2**20:.1f}", decision.reason]


def plan(
    connection: psycopg.Connection,
    settings: PartitionSettings,
    sizes: Mapping[str, int],
    now: datetime,
) -> list[Decision]:
    """What is to become of each partition there is, the oldest first."""
    until = judged_until(leases(connection), settings, now)
    partitions = {table: existing_partitions(connection, table.name) for table in EVENT_TABLES}
    filled = filled_partitions(connection)
    by_age = [
        decision
        for table, of_table in partitions.items()
        for decision in decide(table, of_table, settings, now, until)
    ]
    if any(one.drop and one.partition.name in filled for one in by_age):
        by_age = doubt_clock(by_age, newest_line(connection, partitions, filled), now)
    bounded = bound_pass(by_age, filled)
    return keep_budget(bounded, sizes, settings.disk_budget_gib * GIB)


def leases(connection: psycopg.Connection) -> list[Lease]:
    """Who still needs which rows."""
    rows = connection.execute("SELECT owner, held_from FROM retention_lease").fetchall()
    return [Lease(owner, held_from) for owner, held_from in rows]


def watch_leases(
    connection: psycopg.Connection, settings: PartitionSettings, now: datetime
) -> None:
    """Tell Prometheus and the log which leases are stuck."""
    for lease in leases(connection):
        stuck = lease.stuck(settings, now)
        STUCK_LEASE.labels(lease.owner).set(stuck)
        if stuck:
            heeded = "overridden" if settings.override_stuck_lease else "kept"
            LOG.warning(
                "lease is stuck", owner=lease.owner, held_from=lease.held_from, and_is=heeded
            )


def partition_sizes(connection: psycopg.Connection) -> dict[str, int]:
    """Bytes on disk of each partition, with its indexes."""
    rows = connection.execute(
        "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
        " WHERE relispartition AND relkind = 'r'"
    )
    return dict(rows.fetchall())


def newest_line(
    connection: psycopg.Connection,
    partitions: Mapping[EventTable, Sequence[Partition]],
    filled: Collection[str],
) -> datetime | None:
    """The time of the newest line that landed and is still there; None where none is."""
    times: list[datetime | None] = []
    for table, of_table in partitions.items():
        with_rows = [one for one in of_table if one.name in filled]
        if table.name in LINE_TABLES and with_rows:
            newest = sql.Identifier(max(with_rows, key=lambda one: one.upper).name)
            row = connection.execute(sql.SQL("SELECT max(time) FROM {}").format(newest)).fetchone()
            times += row or ()
    return max((time for time in times if time is not None), default=None)


def filled_partitions(connection: psycopg.Connection) -> set[str]:
    """Those that rows have come into."""
    rows = connection.execute(
        "SELECT relname FROM pg_class"
        " WHERE relispartition AND relkind = 'r' AND pg_relation_size(oid) > 0"
    )
    return {name for (name,) in rows}


def show_plan(
    decisions: Sequence[Decision], sizes: Mapping[str, int], settings: PartitionSettings
) -> None:
    """Tell Prometheus what is overdue, and by how much the disk budget is missed all the same."""
    for table in EVENT_TABLES:
        of_table = [one for one in decisions if one.partition.table == table.name]
        OVERDUE_PARTITIONS.labels(table.name).set(sum(one.overdue for one in of_table))
    kept = sum(sizes.get(one.partition.name, 0) for one in decisions if not one.drop)
    OVER_BUDGET.set(max(0, kept - settings.disk_budget_gib * GIB))


def keep_plan(
    connection: psycopg.Connection,
    decisions: Sequence[Decision],
    sizes: Mapping[str, int],
    now: datetime,
) -> None:
    """Write the plan down in place of the last one, for people to look at."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM retention_plan")
        cursor.executemany(
            "INSERT INTO retention_plan (partition_name, relation, lower_bound, upper_bound,"
            " expires_at, bytes, drops, reason, planned_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    one.partition.name,
                    one.partition.table,
                    one.partition.lower,
                    one.partition.upper,
                    one.expires_at,
                    sizes.get(one.partition.name, 0),
                    one.drop,
                    one.reason,
                    now,
                )
                for one in decisions
            ],
        )


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

"""The partitions of the event tables: which there should be, and making them.

Partitions are made ahead of time and there is no default partition: a line whose time
no partition covers is refused before it reaches the database.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

import psycopg
from psycopg import sql
from pydantic import field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest.tables import EVENT_TABLES, EventTable

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Partition bounds are whole widths after this, so every process cuts time the same way."""


MOST_PARTITIONS = 1_000
"""Of one table; with more, planning a query takes longer than doing it."""


class PartitionSettings(BaseSettings):
    """How wide partitions are and how long their rows stay; read from the environment.

    A lease that holds rows older than `lease_bound` is stuck.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    partition_width: timedelta = timedelta(days=1)
    time_to_live: timedelta = timedelta(days=14)
    long_partition_width: timedelta = timedelta(days=10)
    long_time_to_live: timedelta = timedelta(days=400)
    partitions_ahead: int = 2
    disk_budget_gib: float = math.inf
    lease_bound: timedelta = timedelta(days=7)
    override_stuck_lease: bool = False

    @field_validator("partition_width", "long_partition_width")
    @classmethod
    def _whole_minutes(cls, width: timedelta) -> timedelta:
        if not width or width % timedelta(minutes=1):
            raise ValueError(
                "a partition is some whole minutes wide: ingest judges times by minute"
            )
        return width

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.long_time_to_live < self.time_to_live:
            raise ValueError("viewings cannot expire before the minutes they are made of")
        if (
            max(
                self.time_to_live / self.partition_width,
                self.long_time_to_live / self.long_partition_width,
            )
            > MOST_PARTITIONS
        ):
            raise ValueError(f"a time to live of more than {MOST_PARTITIONS} partitions")
        return self

    def width_of(self, table: EventTable) -> timedelta:
        """The width of this table's partitions."""
        return self.long_partition_width if table.long_lived else self.partition_width

    def time_to_live_of(self, table: EventTable) -> timedelta:
        """How long rows of this table are kept."""
        return self.long_time_to_live if table.long_lived else self.time_to_live


@dataclass(frozen=True)
class Partition:
    """One partition: rows with lower <= time < upper."""

    table: str
    lower: datetime
    upper: datetime

    @property
    def name(self) -> str:
        """`<table>_<lower bound, UTC>`."""
        return f"{self.table}_{self.lower.astimezone(UTC):%Y%m%dt%H%M%S}"


def wanted_partitions(
    table: EventTable, settings: PartitionSettings, now: datetime
) -> Iterator[Partition]:
    """The partitions of all that may still be kept, to some widths ahead of now, oldest first."""
    width = settings.width_of(table)
    first = (now - settings.time_to_live_of(table) - table.reach - EPOCH) // width
    last = (now - EPOCH) // width + settings.partitions_ahead
    for index in range(first, last + 1):
        lower = EPOCH + index * width
        yield Partition(table.name, lower, lower + width)


BOUNDS = r"""
SELECT name,
       (regexp_match(bound, 'FROM \(''([^'']+)''\)'))[1]::timestamptz,
       (regexp_match(bound, 'TO \(''([^'']+)''\)'))[1]::timestamptz
FROM (SELECT child.relname AS name, pg_get_expr(child.relpartbound, child.oid) AS bound
      FROM pg_inherits
      JOIN pg_class AS child ON child.oid = inhrelid
      WHERE inhparent = %s::regclass) AS partition
ORDER BY 2
"""


def existing_partitions(connection: psycopg.Connection, table: str) -> list[Partition]:
    """The partitions a table has, oldest first, from PostgreSQL's own catalogue."""
    rows = connection.execute(BOUNDS, (table,)).fetchall()
    return [Partition(table, lower, upper) for _name, lower, upper in rows]


def make_partitions(
    connection: psycopg.Connection, settings: PartitionSettings, now: datetime
) -> list[Partition]:
    """Make the partitions that should exist and don't; those made.

    A wanted partition that would overlap one of another width (the setting was changed)
    is left out: the time it covers is covered already.
    """
    made = []
    for table in EVENT_TABLES:
        existing = existing_partitions(connection, table.name)
        for partition in wanted_partitions(table, settings, now):
            if not any(partition.lower < e.upper and e.lower < partition.upper for e in existing):
                _make(connection, partition)
                made.append(partition)
    return made


def _make(connection: psycopg.Connection, partition: Partition) -> None:
    # attaching locks out neither readers nor writers of the table; PARTITION OF would
    names = {"new": sql.Identifier(partition.name), "table": sql.Identifier(partition.table)}
    bounds = {
        "lower": sql.Literal(partition.lower.isoformat()),
        "upper": sql.Literal(partition.upper.isoformat()),
    }
    with connection.transaction():
        connection.execute(
            sql.SQL("CREATE TABLE {new} (LIKE {table} INCLUDING ALL)").format(**names)
        )
        connection.execute(
            sql.SQL(
                "ALTER TABLE {table} ATTACH PARTITION {new} FOR VALUES FROM ({lower}) TO ({upper})"
            ).format(**names, **bounds)
        )

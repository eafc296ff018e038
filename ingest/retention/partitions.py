"""The partitions of the event tables, as PostgreSQL has them, and making those that are missing.

Partitions are made ahead of time and there is no default partition: a line whose time
no partition covers is refused before it reaches the database.
"""

from datetime import datetime

import psycopg
from psycopg import sql

from ingest.partition import Partition
from ingest.retention.partition_settings import PartitionSettings, wanted_partitions
from ingest.tables import EVENT_TABLES

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

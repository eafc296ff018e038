"""Finds duplicates across Kafka partitions: each line's key is kept once in the database.

Duplicates are rare, so keys are first written as if there were none; only where PostgreSQL
finds one of them taken are they compared.
"""

import psycopg

from ingest.deduplication.window import Place

COLUMNS = "time, line_hash, first_partition, first_offset"
ARRIVING = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS arriving_key"
    " (time timestamptz, line_hash bigint, first_partition smallint, first_offset bigint)"
    " ON COMMIT DELETE ROWS"
)
# in the order of the key, so that two that write the same keys wait and do not deadlock
KEEP = (
    f"INSERT INTO line_key ({COLUMNS}) SELECT {COLUMNS} FROM arriving_key"  # noqa: S608 -- our own names
    " ORDER BY time, line_hash, first_partition, first_offset ON CONFLICT DO NOTHING"
)
DOUBLES = (
    "SELECT arriving.first_partition, arriving.first_offset,"
    " line_key.first_partition, line_key.first_offset"
    " FROM arriving_key AS arriving JOIN line_key USING (time, line_hash)"
    " WHERE (arriving.first_partition, arriving.first_offset)"
    " <> (line_key.first_partition, line_key.first_offset)"
)


def keep_keys(connection: psycopg.Connection, keys: bytes) -> dict[Place, Place]:
    """Write keys, as COPY text, in the transaction under way; the places whose keys were taken."""
    try:
        with connection.transaction():
            _copy(connection, "line_key", keys)
    except psycopg.errors.UniqueViolation:
        return _keep_new(connection, keys)
    return {}


def _keep_new(connection: psycopg.Connection, keys: bytes) -> dict[Place, Place]:
    connection.execute(ARRIVING)
    _copy(connection, "arriving_key", keys)
    connection.execute(KEEP)
    rows = connection.execute(DOUBLES).fetchall()
    return {(number, offset): (first_number, first) for number, offset, first_number, first in rows}


def _copy(connection: psycopg.Connection, table: str, text: bytes) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({COLUMNS}) FROM STDIN") as copy,
    ):
        copy.write(text)

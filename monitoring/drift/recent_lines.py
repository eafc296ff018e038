"""Reads what people did in the newest lines of the stream."""

from datetime import datetime, timedelta
from importlib.resources import files

import psycopg
from psycopg.rows import class_row

from monitoring.drift.comparison import RecentLines

LINES = 50_000
"""So many of each partition: reading them takes a tenth of a second, however long the stream."""
RECENT = timedelta(days=1)
"""What is older says nothing of now."""
QUERY = files("monitoring.drift") / "recent_lines.sql"


def read_recent_lines(connection: psycopg.Connection, now: datetime) -> RecentLines | None:
    """What people did of late; None where nothing is live."""
    with connection.cursor(row_factory=class_row(RecentLines)) as cursor:
        values = {"lines": LINES, "since": now - RECENT}
        return cursor.execute(QUERY.read_bytes(), values).fetchone()

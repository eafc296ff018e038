"""Reads what people did in the newest lines of the stream."""

from datetime import datetime, timedelta
from importlib.resources import files

import psycopg
from psycopg.rows import class_row

from monitoring.drift.comparison import Lately

LINES = 50_000
"""So many of each partition: reading them takes a tenth of a second, however long the stream."""
LATELY = timedelta(days=1)
"""What is older says nothing of now."""
QUERY = files("monitoring.drift") / "lately.sql"


def read_lately(connection: psycopg.Connection, now: datetime) -> Lately | None:
    """What people did of late; None where nothing is live."""
    with connection.cursor(row_factory=class_row(Lately)) as cursor:
        values = {"lines": LINES, "since": now - LATELY}
        return cursor.execute(QUERY.read_bytes(), values).fetchone()

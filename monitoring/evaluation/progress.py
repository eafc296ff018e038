"""How far online evaluation has come: one row, and a lease on the rows it still needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files

import psycopg
from psycopg.rows import class_row

from monitoring.evaluation.windows import EPOCH, LandedPartition, Terms, Window

SQL = files("monitoring.evaluation") / "sql"
LOCK = "hashtext('marquee evaluation')"
LAST_LINES = 100
"""How many of a partition's last lines say how far it has come; their median is taken,
so that one line with a damaged time misleads nobody."""


@dataclass(frozen=True)
class EvaluationProgress:
    """The row of `evaluation_progress`; all times UTC."""

    judged_from: datetime
    """Answers before it are not judged: there was no evaluation yet."""
    width_since: datetime
    """Since when windows have this width."""
    window_width: timedelta
    horizon: timedelta
    judged_until: datetime
    closed_until: datetime
    receipts_seen: str | None
    """The database's snapshot up to which receipts are reckoned with."""


@contextmanager
def sole_evaluation(connection: psycopg.Connection) -> Iterator[None]:
    """Wait until nobody else judges; the lock goes with the session."""
    connection.execute(f"SELECT pg_advisory_lock({LOCK})".encode())
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(f"SELECT pg_advisory_unlock({LOCK})".encode())


def read_progress(connection: psycopg.Connection) -> EvaluationProgress:
    """How far it has come; `begin` was called before."""
    with connection.cursor(row_factory=class_row(EvaluationProgress)) as cursor:
        cursor.execute(
            "SELECT judged_from, width_since, window_width, horizon, judged_until, closed_until,"
            " receipts_seen FROM evaluation_progress"
        )
        row = cursor.fetchone()
    assert row is not None  # noqa: S101 -- `begin` made it, and nobody may delete it
    return row


def begin(connection: psycopg.Connection, terms: Terms, now: datetime) -> None:
    """Begin to judge, from the oldest receipt or from now; later calls change nothing.

    Under other terms than before, what has figures keeps them, and the rest is judged anew.
    """
    values = {"width": terms.width, "horizon": terms.horizon, "now": now, "epoch": EPOCH}
    with connection.transaction():
        connection.execute(SQL.joinpath("begin.sql").read_bytes(), values)
        known = read_progress(connection)
        if (known.window_width, known.horizon) != (terms.width, terms.horizon):
            connection.execute(SQL.joinpath("begin_anew.sql").read_bytes(), values)
        hold_lease(connection)


def hold_lease(connection: psycopg.Connection) -> None:
    """Tell retention which rows are still needed.

    Those of windows that are not closed, and the answers of the horizon before, which may have
    a claim on what happened in them.
    """
    connection.execute(
        "INSERT INTO retention_lease AS lease (owner, reason, held_from)"
        " SELECT 'evaluation', 'answers from here on may still be judged', closed_until - horizon"
        " FROM evaluation_progress"
        " ON CONFLICT (owner) DO UPDATE SET held_from = excluded.held_from, updated_at = now()"
        " WHERE lease.held_from <> excluded.held_from"
    )


def note_judged(connection: psycopg.Connection, until: datetime) -> None:
    """Note that all windows before `until` have figures."""
    connection.execute("UPDATE evaluation_progress SET judged_until = %s", (until,))


def note_closed(connection: psycopg.Connection, until: datetime) -> None:
    """Note that no window before `until` changes any more; the lease follows."""
    connection.execute("UPDATE evaluation_progress SET closed_until = %s", (until,))
    hold_lease(connection)


def landed_partitions(connection: psycopg.Connection) -> list[LandedPartition]:
    """How far each partition of the stream has landed."""
    with connection.cursor(row_factory=class_row(LandedPartition)) as cursor:
        query = SQL.joinpath("landed_partitions.sql").read_bytes()
        return cursor.execute(query, {"last_lines": LAST_LINES}).fetchall()


def stale_windows(connection: psycopg.Connection) -> list[Window]:
    """Judged windows to which something came since, oldest first."""
    with connection.cursor(row_factory=class_row(Window)) as cursor:
        return cursor.execute(
            'SELECT window_start AS start, window_end AS "end" FROM judged_window'
            " WHERE stale ORDER BY window_start"
        ).fetchall()

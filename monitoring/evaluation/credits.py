"""Which answer each watched minute and each rating belongs to, kept up to date as rows land.

The stream is followed by partition and offset, receipts by the transaction that stored them:
neither becomes visible in the order of its time. One transaction takes up some of what is new
and notes that it did; so whatever is killed, each row is reckoned with once.

What lands is credited at once. A receipt that comes after its user's next minutes did (they
come by different ways) gets what is its own: only lines of that time are read once more, for
what times a range of lines holds is noted (`evaluated_lines`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta

import psycopg
from psycopg import IsolationLevel
from psycopg.rows import class_row

from monitoring.evaluation.progress import SQL, EvaluationProgress, read_progress
from monitoring.evaluation.segments import HEAVY_MOVIES
from monitoring.evaluation.windows import EPOCH
from monitoring.experiments.people import take_up_again

LONGEST_RANGE = 250_000
"""Lines that are taken up in one transaction."""
CLOCK_SLACK = timedelta(seconds=2)
"""How far the clocks of a slot and of who logs a request may be apart."""


@dataclass(frozen=True)
class Lines:
    """Lines of one partition, from_offset <= offset < to_offset."""

    log_partition: int
    from_offset: int
    to_offset: int


def take_up(connection: psycopg.Connection, should_stop: Callable[[], bool]) -> None:
    """Reckon with all that landed and was stored since the last time, or until told to stop.

    The connection must be in autocommit mode.
    """
    connection.execute(SQL.joinpath("work_tables.sql").read_bytes())
    more = True
    while more and not should_stop():
        with _one_snapshot(connection):
            more = _take_up_some(connection)


@contextmanager
def _one_snapshot(connection: psycopg.Connection) -> Iterator[None]:
    """A transaction in which every statement sees the same rows."""
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with connection.transaction():
            yield
    finally:
        connection.isolation_level = None


def _take_up_some(connection: psycopg.Connection) -> bool:
    """Late receipts, then the next lines; whether there were lines."""
    progress = read_progress(connection)
    _take_up_receipts(connection, progress)
    reprocessed = _next(connection, "next_reprocessed.sql")
    if reprocessed:
        take_up_again(connection, **asdict(reprocessed))
    lines = reprocessed or _next(connection, "next_lines.sql")
    if lines:
        _take_up_lines(connection, progress, lines)
    _run(connection, "mark_stale.sql", progress, None)
    connection.execute("UPDATE evaluation_progress SET receipts_seen = pg_current_snapshot()")
    return lines is not None


def _take_up_receipts(connection: psycopg.Connection, progress: EvaluationProgress) -> None:
    if progress.receipts_seen is None:
        return
    kept, too_late = _run(connection, "arrived.sql", progress, None)
    _count_too_late(connection, receipt=too_late)
    if kept:
        _run(connection, "late_receipts.sql", progress, None)
        for lines in _lines_again(connection, progress):
            _run(connection, "move_credit.sql", progress, lines)


def _lines_again(connection: psycopg.Connection, progress: EvaluationProgress) -> list[Lines]:
    """The lines that hold what may belong to receipts that arrived just now."""
    with connection.cursor(row_factory=class_row(Lines)) as cursor:
        query = SQL.joinpath("lines_again.sql").read_bytes()
        return cursor.execute(query, {"horizon": progress.horizon}).fetchall()


def _next(connection: psycopg.Connection, name: str) -> Lines | None:
    with connection.cursor(row_factory=class_row(Lines)) as cursor:
        query = SQL.joinpath(name).read_bytes()
        return cursor.execute(query, {"longest": LONGEST_RANGE}).fetchone()


def _take_up_lines(
    connection: psycopg.Connection, progress: EvaluationProgress, lines: Lines
) -> None:
    _run(connection, "acted.sql", progress, lines)
    watches, ratings = _run(connection, "credit.sql", progress, lines)
    _run(connection, "first_movies.sql", progress, lines)
    _run(connection, "forget_surplus.sql", progress, lines)
    (requests,) = _run(connection, "touch.sql", progress, lines)
    _count_too_late(connection, watch=watches, rating=ratings, recommendation_request=requests)
    _run(connection, "evaluated.sql", progress, lines)


def _run(
    connection: psycopg.Connection, name: str, progress: EvaluationProgress, lines: Lines | None
) -> tuple[int, ...]:
    """Run a statement of this folder; the numbers it gives, if it gives any."""
    constants = {"heavy": HEAVY_MOVIES, "slack": CLOCK_SLACK, "epoch": EPOCH}
    values = {**asdict(progress), **constants, **(asdict(lines) if lines else {})}
    done = connection.execute(SQL.joinpath(name).read_bytes(), values)
    return (done.fetchone() or ()) if done.description else ()


def _count_too_late(connection: psycopg.Connection, **rows: int) -> None:
    for kind, number in rows.items():
        if number:
            connection.execute(
                "INSERT INTO too_late AS known (kind, rows, last_at) VALUES (%s, %s, now())"
                " ON CONFLICT (kind) DO UPDATE SET rows = known.rows + excluded.rows,"
                " last_at = excluded.last_at",
                (kind, number),
            )

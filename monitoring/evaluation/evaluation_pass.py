"""One pass of online evaluation: take up what is new, judge what can be judged, close what is over.

Each step is a transaction of its own that leaves everything true, so a pass that dies at any
moment is gone on with by the next.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import psycopg

from monitoring.evaluation import windows
from monitoring.evaluation.credits import take_up
from monitoring.evaluation.judgement import JudgedWindow, judge_window
from monitoring.evaluation.progress import (
    SQL,
    begin,
    landed_partitions,
    note_closed,
    note_judged,
    read_progress,
    sole_evaluation,
    stale_windows,
)
from monitoring.evaluation.windows import Terms, stream_progress, window_at

WINDOWS_KEPT = 10_000
"""Figures of so many windows are kept: more than a year of hours, a week of minutes."""


@dataclass(frozen=True)
class Pass:
    """What a pass did and where it stopped."""

    judgements: list[JudgedWindow]
    judged_until: datetime
    """First answer time that is not judged yet, UTC."""
    closed_until: datetime
    """First answer time whose figures may still change, UTC."""
    progress: datetime | None
    """Up to which event time the stream has landed, UTC; None when unknown."""


def run_pass(
    connection: psycopg.Connection, terms: Terms, now: datetime, should_stop: Callable[[], bool]
) -> Pass:
    """Do one pass, or as much of it as may be done before `should_stop()`.

    `connection` must be in autocommit mode.
    """
    with sole_evaluation(connection):
        begin(connection, terms, now)
        progress = stream_progress(landed_partitions(connection), terms.horizon, now)
        take_up(connection, should_stop)
        judgements = []
        if progress:
            judgements = list(_judge_all(connection, terms, progress, should_stop))
        if progress and not should_stop():
            _close(connection, terms, progress)
        reached = read_progress(connection)
    return Pass(judgements, reached.judged_until, reached.closed_until, progress)


def _judge_all(
    connection: psycopg.Connection,
    terms: Terms,
    progress: datetime,
    should_stop: Callable[[], bool],
) -> Iterator[JudgedWindow]:
    for window in stale_windows(connection):
        if should_stop():
            return
        with connection.transaction():
            done = judge_window(connection, window)
        yield done
    while not should_stop() and (following := _judge_next(connection, terms, progress)):
        yield following


def _judge_next(
    connection: psycopg.Connection, terms: Terms, progress: datetime
) -> JudgedWindow | None:
    """Judge the next window that is not empty; None when there is none left to judge by now."""
    reached = read_progress(connection)
    limit = windows.judged_until(progress, terms)
    if limit <= reached.judged_until:
        return None
    with connection.transaction():
        first = _first_time(connection, reached.judged_until, limit)
        if first is None:
            note_judged(connection, limit)
            return None
        window = window_at(first, reached.width_since, terms.width)
        done = judge_window(connection, window)
        note_judged(connection, window.end)
    return done


def _first_time(
    connection: psycopg.Connection, judged_until: datetime, limit: datetime
) -> datetime | None:
    query = SQL.joinpath("next_window.sql").read_bytes()
    row = connection.execute(query, {"judged_until": judged_until, "limit": limit}).fetchone()
    return row[0] if row else None


def _close(connection: psycopg.Connection, terms: Terms, progress: datetime) -> None:
    """Forget what only windows needed that never change again, and let retention have it."""
    reached = read_progress(connection)
    until = min(windows.closed_until(progress, terms), reached.judged_until)
    if until <= reached.closed_until or any(w.start < until for w in stale_windows(connection)):
        return
    with connection.transaction():
        note_closed(connection, until)
        values = {
            "until": until,
            "horizon": terms.horizon,
            "kept_from": until - WINDOWS_KEPT * terms.width,
        }
        connection.execute(SQL.joinpath("close.sql").read_bytes(), values)

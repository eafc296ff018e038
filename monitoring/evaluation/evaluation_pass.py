"""One pass of online evaluation over the database: judge what can be judged, move the watermark.

The watermark is the evaluation's lease in `retention_lease`: everything at or after it is
still needed. Figures and watermark are written in one transaction, so a pass that dies
is simply done again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

import psycopg
from psycopg.rows import class_row, scalar_row

from monitoring.errors import LeaseLostError
from monitoring.evaluation.judgement import (
    Counts,
    Figure,
    LandedPartition,
    Window,
    figures,
    past_empty_windows,
    stream_progress,
)
from monitoring.settings import Settings

SQL = files("monitoring.evaluation")
LAST_LINES = 100
"""How many of a partition's last lines say how far it has come; their median is taken,
so that one line with a damaged time misleads nobody."""


@dataclass(frozen=True)
class Judgement:
    """A window that was judged, and what came out."""

    window: Window
    figures: list[Figure]


@dataclass(frozen=True)
class Pass:
    """What a pass did and where it stopped."""

    judgements: list[Judgement]
    watermark: datetime
    """First receipt time that is not judged yet, UTC."""
    progress: datetime | None
    """Up to which event time the stream has landed, UTC; None when unknown."""


def run_pass(
    connection: psycopg.Connection,
    settings: Settings,
    now: datetime,
    should_stop: Callable[[], bool],
) -> Pass:
    """Judge windows, oldest first, while there is one to judge and not `should_stop()`.

    Each window is a transaction of its own; `connection` must be in autocommit mode.

    Raises:
        LeaseLostError: somebody deleted the evaluation's lease meanwhile.
    """
    hold_first_lease(connection, now)
    progress = stream_progress(landed_partitions(connection), settings.evaluation_horizon, now)
    judgements = []
    while progress and not should_stop() and (done := _judge_next(connection, settings, progress)):
        judgements.append(done)
    return Pass(judgements, _watermark(connection), progress)


def hold_first_lease(connection: psycopg.Connection, now: datetime) -> None:
    """Make sure the evaluation has a lease: from the oldest receipt, or from `now`."""
    connection.execute(
        "INSERT INTO retention_lease (owner, reason, held_from)"
        " SELECT 'evaluation', 'answers from here on are not judged yet',"
        "        coalesce((SELECT min(time) FROM receipt), %s)"
        " WHERE NOT EXISTS (SELECT FROM retention_lease WHERE owner = 'evaluation')"
        " ON CONFLICT (owner) DO NOTHING",
        (now,),
    )


def landed_partitions(connection: psycopg.Connection) -> list[LandedPartition]:
    """How far each partition of the stream has landed."""
    with connection.cursor(row_factory=class_row(LandedPartition)) as cursor:
        query = SQL.joinpath("landed_partitions.sql").read_bytes()
        return cursor.execute(query, {"last_lines": LAST_LINES}).fetchall()


def _judge_next(
    connection: psycopg.Connection, settings: Settings, progress: datetime
) -> Judgement | None:
    width = settings.evaluation_window
    limit = progress - settings.evaluation_horizon
    with connection.transaction():
        watermark = _watermark(connection)
        if watermark + width > limit:
            return None
        first_receipt = _first_receipt(connection, watermark, limit)
        start = past_empty_windows(watermark, first_receipt or limit, width)
        window = Window(start, start + width)
        if first_receipt is None or window.end > limit:
            _move_watermark(connection, start)
            return None
        judgement = Judgement(window, list(figures(_counts(connection, window, settings))))
        _write(connection, judgement)
        _move_watermark(connection, window.end)
    return judgement


def _watermark(connection: psycopg.Connection) -> datetime:
    row = connection.execute(
        "SELECT held_from FROM retention_lease WHERE owner = 'evaluation' FOR UPDATE"
    ).fetchone()
    if row is None:
        raise LeaseLostError("the lease of 'evaluation' in retention_lease is gone")
    watermark: datetime = row[0]
    return watermark


def _move_watermark(connection: psycopg.Connection, watermark: datetime) -> None:
    connection.execute(
        "UPDATE retention_lease SET held_from = %s, updated_at = now() WHERE owner = 'evaluation'",
        (watermark,),
    )


def _first_receipt(
    connection: psycopg.Connection, watermark: datetime, limit: datetime
) -> datetime | None:
    with connection.cursor(row_factory=scalar_row) as cursor:
        query = "SELECT min(time) FROM receipt WHERE time >= %s AND time < %s"
        first: datetime | None = cursor.execute(query, (watermark, limit)).fetchone()
    return first


def _counts(connection: psycopg.Connection, window: Window, settings: Settings) -> list[Counts]:
    horizon = settings.evaluation_horizon
    with connection.cursor(row_factory=class_row(Counts)) as cursor:
        return cursor.execute(
            SQL.joinpath("counts.sql").read_bytes(),
            {
                "start": window.start,
                "end": window.end,
                "horizon": horizon,
                "horizon_end": window.end + horizon,
            },
        ).fetchall()


def _write(connection: psycopg.Connection, judgement: Judgement) -> None:
    window = judgement.window
    with connection.cursor() as cursor:
        cursor.executemany(
            SQL.joinpath("write_figure.sql").read_bytes(),
            [
                (window.start, window.end, f.model_version, f.arm, f.metric, f.value, f.samples)
                for f in judgement.figures
            ],
        )

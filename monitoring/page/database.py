"""Reads from PostgreSQL what the status page shows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib.resources import files

import psycopg
from psycopg.rows import class_row

from monitoring.experiments.summaries import looks, summaries
from monitoring.page.content import (
    FACTS,
    Content,
    Kept,
    LiveFigures,
    Quality,
    Release,
    Version,
)
from monitoring.page.happenings import MOST_READ
from monitoring.status.overview import last_step, overview

SQL = files("monitoring.page")
QUALITY_SPAN = timedelta(days=7)


def read_content(
    connection: psycopg.Connection, figures: LiveFigures | None, now: datetime
) -> Content:
    """All that the page shows.

    Raises:
        psycopg.Error: the database cannot be read.
    """
    experiments = summaries(connection, MOST_READ)
    step = last_step(connection)
    live = step.live_version if step else None
    return Content(
        at=now,
        step=step,
        facts=[fact for fact in overview(connection, now) if fact.name in FACTS],
        releases=_read(connection, "releases.sql", Release, most=MOST_READ),
        versions=tuple(_read(connection, "versions.sql", Version, most=MOST_READ, live=live)),
        quality=_read(connection, "online_quality.sql", Quality, since=now - QUALITY_SPAN),
        experiments=experiments,
        looks=looks(connection, experiments[0].experiment_id) if experiments else (),
        kept=_read(connection, "kept_until.sql", Kept),
        backed_up_at=_last_backup(connection),
        figures=figures,
    )


def _read[Row](
    connection: psycopg.Connection, name: str, row: type[Row], **arguments: object
) -> Sequence[Row]:
    with connection.cursor(row_factory=class_row(row)) as cursor:
        return cursor.execute(SQL.joinpath(name).read_bytes(), arguments or None).fetchall()


def _last_backup(connection: psycopg.Connection) -> datetime | None:
    row = connection.execute("SELECT max(ended_at) FROM backup").fetchone()
    ended_at: datetime | None = row[0] if row else None
    return ended_at

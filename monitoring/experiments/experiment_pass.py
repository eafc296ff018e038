"""One pass over all experiments that may still change: take up what landed, look, record."""

from collections.abc import Iterator
from datetime import datetime

import psycopg
from psycopg.rows import scalar_row

from monitoring.experiments.looks import look
from monitoring.experiments.people import SQL, take_up
from monitoring.experiments.verdict import Verdict


def look_at_all(
    connection: psycopg.Connection, progress: datetime, now: datetime
) -> Iterator[tuple[int, Verdict]]:
    """Each experiment that runs, or has people whose time is not over, and its verdict so far.

    Args:
        connection: in autocommit mode, as the role `evaluation`.
        progress: everything before it has landed, UTC.
        now: the time, UTC.
    """
    for experiment_id in _unfinished(connection):
        take_up(connection, experiment_id, progress, now)
        yield experiment_id, look(connection, experiment_id, now)
    _hold_lease(connection, progress)


def _unfinished(connection: psycopg.Connection) -> list[int]:
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(SQL.joinpath("unfinished.sql").read_bytes()).fetchall()


def _hold_lease(connection: psycopg.Connection, progress: datetime) -> None:
    """Keep the rows that people whose time is not over still need; none without an experiment."""
    with connection.transaction():
        connection.execute("DELETE FROM retention_lease WHERE owner = 'experiments'")
        if _unfinished(connection):
            connection.execute(
                "INSERT INTO retention_lease (owner, reason, held_from)"
                " SELECT 'experiments', 'people in an experiment are not counted yet',"
                " least(%s, min(entered_at)) FROM experiment_person WHERE state = 'open'",
                (progress,),
            )

"""What online evaluation found, read back for whoever shows it."""

import psycopg

from monitoring.evaluation.figures import Group, OnlineFigure
from monitoring.evaluation.progress import SQL

JUDGED = ("receipt", "recommendation_request", "watch", "rating")
"""The tables whose rows are judged."""


def latest_figures(connection: psycopg.Connection) -> list[OnlineFigure]:
    """The newest figures of each group judged within a day of the newest."""
    rows = connection.execute(SQL.joinpath("latest_figures.sql").read_bytes())
    return [OnlineFigure(Group(*row[:4]), *row[4:]) for row in rows]


def too_late(connection: psycopg.Connection) -> dict[str, int]:
    """How many rows of each kind came too late to be judged; 0 of those of which none did."""
    found = connection.execute("SELECT kind, rows FROM too_late").fetchall()
    return dict.fromkeys(JUDGED, 0) | dict(found)

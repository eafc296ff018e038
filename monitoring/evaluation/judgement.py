"""Judges one window: reads what its answers came to, and keeps the figures."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import psycopg

from monitoring.evaluation.credits import CLOCK_SLACK
from monitoring.evaluation.figures import (
    Group,
    OnlineFigure,
    Shown,
    Sums,
    answer_figures,
    request_figures,
    shown_figures,
)
from monitoring.evaluation.progress import SQL
from monitoring.evaluation.segments import HEAVY_MOVIES
from monitoring.evaluation.windows import Window


@dataclass(frozen=True)
class JudgedWindow:
    """A window that was judged, and what came out."""

    window: Window
    figures: list[OnlineFigure]


def judge_window(connection: psycopg.Connection, window: Window) -> JudgedWindow:
    """Compute a window's figures from what is credited by now, and keep them."""
    figures = list(chain(_of_answers(connection, window), _of_requests(connection, window)))
    _write(connection, window, figures)
    return JudgedWindow(window, figures)


def _of_answers(connection: psycopg.Connection, window: Window) -> Iterator[OnlineFigure]:
    yield from answer_figures(
        (Group(*group), metric, Sums(*sums))
        for *group, metric, people, y, x, yy, xx, xy in _rows(connection, "answers.sql", window)
        for sums in [(people, y, x, yy, xx, xy)]
    )
    yield from shown_figures(
        Shown(Group(version, arm), *shown)
        for version, arm, *shown in _rows(connection, "shown.sql", window)
    )


def _of_requests(connection: psycopg.Connection, window: Window) -> Iterator[OnlineFigure]:
    for version, arm, *sums, times in _rows(connection, "requests.sql", window):
        yield from request_figures(Group(version, arm), Sums(*sums), times)


def _rows(connection: psycopg.Connection, name: str, window: Window) -> psycopg.Cursor:
    return connection.execute(
        SQL.joinpath(name).read_bytes(),
        {"start": window.start, "end": window.end, "heavy": HEAVY_MOVIES, "slack": CLOCK_SLACK},
    )


def _write(connection: psycopg.Connection, window: Window, figures: list[OnlineFigure]) -> None:
    connection.execute("DELETE FROM online_metric WHERE window_start = %s", (window.start,))
    with connection.cursor() as cursor:
        cursor.executemany(
            SQL.joinpath("write_figure.sql").read_bytes(),
            [
                (
                    window.start,
                    window.end,
                    *(one.group.model_version, one.group.arm, one.group.reason, one.group.segment),
                    *(one.metric, one.value, one.low, one.high, one.variance),
                    *(one.samples, one.people),
                )
                for one in figures
            ],
        )
    connection.execute(
        "INSERT INTO judged_window (window_start, window_end, stale) VALUES (%s, %s, false)"
        " ON CONFLICT (window_start) DO UPDATE SET stale = false",
        (window.start, window.end),
    )

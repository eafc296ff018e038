"""The service `evaluation`: a pass whenever the job queue's clock says so."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import structlog
from procrastinate import App
from psycopg.rows import class_row

from monitoring.evaluation import Figure
from monitoring.evaluation_pass import SQL, Pass, run_pass
from monitoring.exporter import Exporter
from monitoring.settings import Settings

LOG = structlog.get_logger()
QUEUE = "evaluate"
PASS_SECONDS = 5.0
"""A pass begins no further window after this, so that the worker can stop when told to."""


def evaluate_once(settings: Settings) -> tuple[Pass, list[Figure]]:
    """Do one pass; what it did, and the newest figures of all model versions."""
    with psycopg.connect(settings.conninfo(), autocommit=True) as connection:
        done = run_pass(connection, settings, datetime.now(UTC), _for_seconds(PASS_SECONDS))
        return done, latest_figures(connection)


def latest_figures(connection: psycopg.Connection) -> list[Figure]:
    """The newest figures of each model version and arm judged within a day of the newest."""
    with connection.cursor(row_factory=class_row(Figure)) as cursor:
        return cursor.execute(SQL.joinpath("latest_figures.sql").read_bytes()).fetchall()


def register(app: App, settings: Settings, exporter: Exporter) -> None:
    """Have the worker of the queue `evaluate` do a pass at each time of the cron setting."""

    @app.periodic(cron=settings.evaluate_cron)
    @app.task(name="evaluate", queue=QUEUE, lock=QUEUE, queueing_lock=QUEUE)
    def evaluate(timestamp: int) -> None:  # noqa: ARG001 -- procrastinate hands it to every periodic task
        done, latest = evaluate_once(settings)
        exporter.passed(done.watermark, latest)
        for judgement in done.judgements:
            LOG.info("window judged", window=judgement.window.start.isoformat())


def _for_seconds(seconds: float) -> Callable[[], bool]:
    deadline = time.monotonic() + seconds
    return lambda: time.monotonic() < deadline

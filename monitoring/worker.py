"""The service `evaluation`: a pass whenever the job queue's clock says so."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread

import psycopg
import structlog
from procrastinate import App, JobContext
from procrastinate.exceptions import JobAborted
from psycopg.rows import class_row

from monitoring.evaluation.evaluation_pass import SQL, Pass, run_pass
from monitoring.evaluation.exporter import Exporter
from monitoring.evaluation.judgement import Figure
from monitoring.settings import Settings

LOG = structlog.get_logger()
QUEUE = "evaluate"
LOOK_SECONDS = 0.5


def evaluate_once(settings: Settings, should_stop: Callable[[], bool]) -> tuple[Pass, list[Figure]]:
    """Do one pass; what it did, and the newest figures of all model versions.

    Raises:
        psycopg.errors.QueryCanceled: it should stop while a window was being judged.
    """
    with (
        psycopg.connect(settings.conninfo(), autocommit=True) as connection,
        _cancelled_when(connection, should_stop),
    ):
        done = run_pass(connection, settings, datetime.now(UTC), should_stop)
        return done, latest_figures(connection)


def latest_figures(connection: psycopg.Connection) -> list[Figure]:
    """The newest figures of each model version and arm judged within a day of the newest."""
    with connection.cursor(row_factory=class_row(Figure)) as cursor:
        return cursor.execute(SQL.joinpath("latest_figures.sql").read_bytes()).fetchall()


def register(app: App, settings: Settings, exporter: Exporter) -> None:
    """Have the worker of the queue `evaluate` do a pass at each time of the cron setting."""

    @app.periodic(cron=settings.evaluate_cron)
    @app.task(name="evaluate", queue=QUEUE, lock=QUEUE, queueing_lock=QUEUE, pass_context=True)
    def evaluate(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 -- procrastinate hands it to every periodic task
        try:
            done, latest = evaluate_once(settings, context.should_abort)
        except psycopg.errors.QueryCanceled as error:
            raise JobAborted from error
        exporter.passed(done.watermark, latest)
        for judgement in done.judgements:
            LOG.info("window judged", window=judgement.window.start.isoformat())


@contextmanager
def _cancelled_when(
    connection: psycopg.Connection, should_stop: Callable[[], bool]
) -> Iterator[None]:
    """Cancel whatever `connection` is doing once `should_stop()`: a query does not look itself."""
    over = Event()

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            if should_stop():
                connection.cancel_safe()

    watcher = Thread(target=look, name="stop", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()

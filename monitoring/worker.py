"""The service `evaluation`: a pass whenever the job queue's clock says so."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread

import psycopg
import structlog
from procrastinate import App, JobContext
from procrastinate.exceptions import JobAborted

from monitoring.drift.exporter import DriftExporter
from monitoring.drift.recent_lines import read_recent_lines
from monitoring.evaluation.evaluation_pass import Pass, run_pass
from monitoring.evaluation.exporter import Exporter
from monitoring.evaluation.results import latest_figures, too_late
from monitoring.experiments.experiment_pass import look_at_all
from monitoring.experiments.summaries import Summary, summaries
from monitoring.settings import Settings

LOG = structlog.get_logger()
QUEUE = "evaluate"
LOOK_SECONDS = 0.5


@contextmanager
def stoppable_connection(
    settings: Settings, should_stop: Callable[[], bool]
) -> Iterator[psycopg.Connection]:
    """A connection in autocommit mode whose statement is cancelled when it should stop."""
    with (
        psycopg.connect(settings.conninfo(), autocommit=True) as connection,
        _cancelled_when(connection, should_stop),
    ):
        yield connection


def evaluate_once(
    connection: psycopg.Connection, settings: Settings, should_stop: Callable[[], bool]
) -> Pass:
    """Do one pass.

    Raises:
        psycopg.errors.QueryCanceled: it should stop while a statement was running.
    """
    return run_pass(connection, settings.terms(), datetime.now(UTC), should_stop)


def register(app: App, settings: Settings, exporter: Exporter, drift: DriftExporter) -> None:
    """Have the worker of the queue `evaluate` do a pass at each time of the cron setting."""

    @app.periodic(cron=settings.evaluate_cron)
    @app.task(name="evaluate", queue=QUEUE, lock=QUEUE, queueing_lock=QUEUE, pass_context=True)
    def evaluate(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 -- procrastinate hands it to every periodic task
        try:
            with stoppable_connection(settings, context.should_abort) as connection:
                done = evaluate_once(connection, settings, context.should_abort)
                exporter.passed(done, latest_figures(connection), too_late(connection))
                drift.show(read_recent_lines(connection, datetime.now(UTC)))
        except psycopg.errors.QueryCanceled as error:
            raise JobAborted from error
        for judgement in done.judgements:
            LOG.info("window judged", window=judgement.window.start.isoformat())
        if done.progress:
            exporter.looked_at(look_at_experiments(settings, done.progress))


def look_at_experiments(settings: Settings, progress: datetime) -> list[Summary]:
    """Count the people of experiments, and record what these say so far; those that run."""
    with psycopg.connect(settings.conninfo(), autocommit=True) as connection:
        for experiment, verdict in look_at_all(connection, progress, datetime.now(UTC)):
            LOG.info(
                "experiment looked at",
                experiment=experiment,
                verdict=verdict.word,
                reason=verdict.reason,
            )
        return [one for one in summaries(connection) if one.ended_at is None]


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

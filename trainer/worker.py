"""The job worker: does the task `train` of the queue `train`, asked for or at its time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Thread

import psycopg
from procrastinate import App, JobContext, RetryStrategy
from procrastinate.exceptions import AlreadyEnqueued, JobAborted

from compose.service.jobs import defer, job_app, say, work
from trainer.errors import NoDataError, TrainerError
from trainer.first_trainings import keep_training
from trainer.metrics import TrainingMetrics
from trainer.process import train_beside
from trainer.progress import seconds_left
from trainer.records import newest_version
from trainer.settings import Settings
from trainer.version_report import report

QUEUE = TASK = "train"
INTERRUPTIONS = 5
"""How often a training that was interrupted by a shutdown is begun again."""


def serve(settings: Settings, metrics: TrainingMetrics) -> None:
    """Do the jobs of the queue `train`, and ask for the first trainings, until SIGTERM."""
    conninfo = settings.conninfo()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        newest = newest_version(connection)
    if newest:
        metrics.show(newest)
    if settings.schedule == "internal" and settings.retrain_cron:
        metrics.recur(settings.retrain_cron, datetime.now(UTC))
    app = job_app(conninfo)
    register(app, settings, metrics)
    if settings.retrain_cron:  # empty: never by itself
        Thread(target=keep_training, args=(conninfo, ask), daemon=True).start()
    work(app, QUEUE, settings.heartbeat_file)


def register(app: App, settings: Settings, metrics: TrainingMetrics) -> None:
    """Make the task known to the queue, and its time where this queue keeps the schedule."""
    task = app.task(
        name=TASK,
        queue=QUEUE,
        lock=QUEUE,
        queueing_lock=TASK,
        pass_context=True,
        retry=RetryStrategy(max_attempts=INTERRUPTIONS, retry_exceptions={JobAborted}),
    )(_task(settings, metrics))
    if settings.schedule == "internal" and settings.retrain_cron:
        app.periodic(cron=settings.retrain_cron)(task)


def _task(settings: Settings, metrics: TrainingMetrics) -> Callable[..., None]:
    def train(context: JobContext, timestamp: int | None = None) -> None:
        """Train one version; `timestamp` is what a periodic task is handed.

        One that is due before there is anything to learn from has not failed.
        """
        try:
            _run(context, settings, metrics)
        except NoDataError:
            if timestamp is None:
                raise

    return train


def _run(context: JobContext, settings: Settings, metrics: TrainingMetrics) -> None:
    def tell(message: str, done: float) -> None:
        left = seconds_left(done, time.monotonic() - started)
        say(conninfo, job_id, f"{message} ({done:.0%}, about {left:.0f} s left)", done)
        metrics.proceed(done, left)

    started = time.monotonic()
    conninfo, job_id = settings.conninfo(), context.job.id or 0
    with metrics.measured():
        try:
            manifest = train_beside(settings, tell, context.should_abort)
        except TrainerError as error:
            say(conninfo, job_id, f"no version was trained: {error}")
            raise
    if manifest is None:
        say(conninfo, job_id, "interrupted: the trainer is stopping; it begins again at its start")
        raise JobAborted
    metrics.show(manifest)
    say(conninfo, job_id, report(manifest))


def ask(conninfo: str) -> int:
    """Ask for a training, or join one that waits already; the job's id."""
    try:
        return defer(job_app(conninfo), TASK, QUEUE)
    except AlreadyEnqueued:
        return _waiting(conninfo)


def _waiting(conninfo: str) -> int:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        row = connection.execute(
            "SELECT max(id) FROM procrastinate_jobs WHERE queueing_lock = %s", (TASK,)
        ).fetchone()
    if row is None or row[0] is None:
        raise LookupError("the training that was waiting is gone; ask again")
    return int(row[0])

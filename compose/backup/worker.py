"""The jobs of the queue `backup`: one that is asked for, and one each night."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import psycopg
from procrastinate import App, JobContext, RetryStrategy
from procrastinate.exceptions import JobAborted

from compose.backup.backup import Run, back_up, told
from compose.backup.errors import BackupError, ChangingError
from compose.backup.folder import read_manifest, size
from compose.backup.metrics import BackupMetrics
from compose.backup.settings import Settings
from compose.service.jobs import job_app, say

QUEUE = TASK = "backup"
RETRY = RetryStrategy(
    max_attempts=3, wait=300, retry_exceptions={psycopg.OperationalError, ChangingError}
)
"""A database that is away or a release under way passes; a full disk does not."""


def backup_app(settings: Settings, metrics: BackupMetrics, clock: Callable[[], datetime]) -> App:
    """The queue with its tasks."""
    app = job_app(settings.conninfo())

    def take(context: JobContext, timestamp: int | None = None) -> None:
        """Take one backup; `timestamp` is what a periodic task is handed."""
        del timestamp
        _run(context, settings, metrics, clock)

    app.task(name=TASK, queue=QUEUE, lock=QUEUE, queueing_lock=TASK, pass_context=True)(take)
    if settings.scheduled:
        nightly = app.task(
            name="nightly",
            queue=QUEUE,
            lock=QUEUE,
            queueing_lock="nightly",
            pass_context=True,
            retry=RETRY,
        )
        app.periodic(cron=settings.backup_cron)(nightly(take))
    return app


def _run(
    context: JobContext,
    settings: Settings,
    metrics: BackupMetrics,
    clock: Callable[[], datetime],
) -> None:
    tell = partial(say, settings.conninfo(), context.job.id or 0)
    try:
        folder = back_up(Run(settings, clock, tell, context.should_abort, tell))
    except (BackupError, psycopg.Error) as error:
        if context.should_abort():
            raise JobAborted from error
        metrics.failures.inc()
        tell(f"no backup was taken: {error}")
        raise
    record(settings.conninfo(), folder)
    metrics.show(settings.backups, settings.project)
    tell(told(folder, read_manifest(folder)))


def record(conninfo: str, folder: Path) -> None:
    """Note in the database that a whole backup was made, for whoever asks later and for alerts.

    Raises:
        psycopg.Error: it could not be noted; the backup itself is whole.
    """
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO backup (directory, bytes) VALUES (%s, %s)", (str(folder), size(folder))
        )

"""Work that is asked for or recurs, kept as rows in PostgreSQL by procrastinate.

A job that a killed worker left behind is freed by whoever works that queue next: its
worker's heartbeat has stopped, so it is put back and done again. Tasks must therefore
be safe to repeat.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Status
from procrastinate.types import JSONValue

from compose.service.watchdog import watched

LOG = structlog.get_logger()

HEARTBEAT_SECONDS = 5
SHUTDOWN_SECONDS = 1.0
"""After SIGTERM a job has this long to end by itself; then its context says `should_abort`."""
STALLED_AFTER_SECONDS = 30
POLL_SECONDS = 0.25
"""So long a job waits at most for a worker that has nothing to do."""
KEPT_HOURS = 7 * 24
"""How long jobs that ended well can still be looked up."""
ATTEMPTS = 3
"""A worker that failed so often in a row, and never did well since, is not healthy."""
ENDED = frozenset({"succeeded", "failed", "cancelled", "aborted"})


def job_app(conninfo: str) -> App:
    """The job queue in the database that `conninfo` names; nothing connects yet."""
    return App(connector=PsycopgConnector(conninfo=conninfo, min_size=1, max_size=4))


def work(app: App, queue: str, heartbeat: Path, *, may_refuse: bool = True) -> None:
    """Do the jobs of one queue, one at a time, until SIGTERM; then the job in hand is told.

    With `may_refuse` a failed job may be the right answer to what was asked (there is too little
    to train on, the gate says no). Else the heartbeat stands still while every attempt fails.
    A loop that stands still ends the process.
    """
    with watched() as turned:
        asyncio.run(_work(app, queue, heartbeat, turned, may_refuse=may_refuse))


async def _work(
    app: App, queue: str, heartbeat: Path, turned: Callable[[], None], *, may_refuse: bool
) -> None:
    # In one group, so that a worker that can no longer beat or tidy ends and is restarted.
    async with app.open_async(), asyncio.TaskGroup() as group:
        beats = _beat(heartbeat) if may_refuse else _beat_while_well(app, queue, heartbeat)
        beside = [group.create_task(work) for work in (_turn(turned), beats, _tidy(app, queue))]
        await app.run_worker_async(
            queues=[queue],
            name=queue,
            concurrency=1,
            # every role may send a notification, which would end another's job
            listen_notify=False,
            fetch_job_polling_interval=POLL_SECONDS,
            shutdown_graceful_timeout=SHUTDOWN_SECONDS,
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            stalled_worker_timeout=STALLED_AFTER_SECONDS,
        )
        for task in beside:
            task.cancel()


async def _turn(turned: Callable[[], None]) -> None:
    while True:
        turned()
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def _beat(heartbeat: Path) -> None:
    while True:
        await asyncio.to_thread(heartbeat.touch)
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def _beat_while_well(app: App, queue: str, heartbeat: Path) -> None:
    before = await _newest_job(app)
    while True:
        if not await every_attempt_fails(app, queue, before):
            await asyncio.to_thread(heartbeat.touch)
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def _newest_job(app: App) -> int:
    row = await app.connector.execute_query_one_async(
        "SELECT coalesce(max(id), 0) AS id FROM procrastinate_jobs"
    )
    return int(row["id"])


async def every_attempt_fails(app: App, queue: str, after_job: int) -> bool:
    """Whether the last `ATTEMPTS` jobs that ended of those asked for after one all failed."""
    last = await app.connector.execute_query_all_async(
        "SELECT status::text FROM procrastinate_jobs WHERE queue_name = %(queue)s"
        " AND id > %(after)s AND status IN ('succeeded', 'failed') ORDER BY id DESC LIMIT %(most)s",
        queue=queue,
        after=after_job,
        most=ATTEMPTS,
    )
    return [row["status"] for row in last] == ["failed"] * ATTEMPTS


async def _tidy(app: App, queue: str) -> None:
    while True:
        await free_stalled_jobs(app, queue)
        await app.job_manager.delete_old_jobs(nb_hours=KEPT_HOURS, queue=queue)
        await asyncio.sleep(STALLED_AFTER_SECONDS / 3)


async def free_stalled_jobs(app: App, queue: str) -> None:
    """Put jobs whose worker is gone back, or end them where the same task waits already."""
    for job in await app.job_manager.get_stalled_jobs(
        queue=queue, seconds_since_heartbeat=STALLED_AFTER_SECONDS
    ):
        LOG.warning("job freed", job=job.id, task=job.task_name, why="its worker is gone")
        try:
            await app.job_manager.retry_job(job)
        except UniqueViolation:
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=False)


def defer(app: App, task: str, queue: str, **arguments: JSONValue) -> int:
    """Ask for `task` to be done by the worker of `queue`; the job's id.

    A second request while the first still waits is refused (its queueing lock is the task).

    Raises:
        procrastinate.exceptions.AlreadyEnqueued: the same task is waiting already.
        psycopg.OperationalError: the database does not answer.
    """
    try:
        with app.open():
            job = app.configure_task(task, queue=queue, lock=queue, queueing_lock=task)
            return job.defer(**arguments)
    except ConnectorException as error:
        if isinstance(error.__cause__, psycopg.OperationalError):
            raise error.__cause__ from None
        raise


@dataclass(frozen=True)
class JobLine:
    """One line of progress that a job left."""

    at: datetime
    message: str
    done: float | None
    """The share of the job that is done; None where it does not say."""


def say(conninfo: str, job_id: int, message: str, done: float | None = None) -> None:
    """Leave a line of progress for whoever follows the job; `done` is a share of it."""
    LOG.info(message, job=job_id)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO job_log (job_id, message, done) VALUES (%s, %s, %s)",
            (job_id, message, done),
        )


def follow(conninfo: str, job_id: int, poll_seconds: float = 0.5) -> Iterator[JobLine]:
    """Yield a job's lines of progress as they come, until it has ended."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        seen = 0
        while True:
            ended = job_status(connection, job_id) in ENDED
            for line_id, at, message, done in connection.execute(
                "SELECT line_id, at, message, done FROM job_log"
                " WHERE job_id = %s AND line_id > %s ORDER BY line_id",
                (job_id, seen),
            ).fetchall():
                seen = line_id
                yield JobLine(at, message, done)
            if ended:
                return
            time.sleep(poll_seconds)


def job_status(connection: psycopg.Connection, job_id: int) -> str:
    """How far a job is: `todo`, `doing`, or how it ended.

    Raises:
        LookupError: there is no such job.
    """
    row = connection.execute(
        "SELECT status::text FROM procrastinate_jobs WHERE id = %s", (job_id,)
    ).fetchone()
    if row is None:
        raise LookupError(f"no job {job_id}")
    return str(row[0])

"""The jobs of the queue `release`: release, rollback, and the release that comes by itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from procrastinate import App, JobContext

from ci import metrics, record
from ci.release import AbortedError, RefusedError
from ci.runbook import Ground, recover, release, rollback
from ci.settings import Settings
from ci.slots import slot_client
from ingest.jobs import say

QUEUE = "release"


def register(app: App, settings: Settings) -> None:
    """Give the queue its tasks."""

    @app.task(name="release", queue=QUEUE, pass_context=True)
    def release_task(context: JobContext, version: str | None = None) -> None:
        with standing_on(settings, context) as ground:
            if not done_already(ground, context):
                release(ground, record.choose_version(ground.connection, version))

    @app.task(name="rollback", queue=QUEUE, pass_context=True)
    def rollback_task(context: JobContext) -> None:
        with standing_on(settings, context) as ground:
            if not done_already(ground, context) and not stopped_a_release(ground):
                rollback(ground)

    if settings.schedule == "internal" and settings.release_cron:

        @app.periodic(cron=settings.release_cron)
        @app.task(
            name="scheduled_release",
            queue=QUEUE,
            lock=QUEUE,
            queueing_lock="scheduled_release",
            pass_context=True,
        )
        def scheduled_release_task(context: JobContext, timestamp: int) -> None:
            with standing_on(settings, context) as ground:
                if not done_already(ground, context):
                    release_if_new(ground, timestamp)


def release_if_new(ground: Ground, timestamp: int) -> None:
    """Release the newest version unless it was tried before: then a person decides."""
    version = record.choose_version(ground.connection, None)
    if record.was_released(ground.connection, version):
        ground.say(f"nothing new since the last release (due at {timestamp}): {version}")
        return
    release(ground, version)


@contextmanager
def standing_on(settings: Settings, context: JobContext) -> Iterator[Ground]:
    """The ground of one job, held by nobody else; what failed is said before it is raised."""
    job_id = context.job.id
    if job_id is None:
        raise TypeError("a job that is worked on has an id")
    conninfo = settings.conninfo()
    with (
        psycopg.connect(conninfo, autocommit=True) as connection,
        slot_client() as client,
        said_when_failed(lambda words: say(conninfo, job_id, words)),
        record.sole_releaser(connection),
        metrics.RUNNING.track_inprogress(),
    ):
        yield Ground(
            connection,
            client,
            settings,
            lambda words: say(conninfo, job_id, words),
            lambda: stop_reason(context, connection),
            job_id,
        )


@contextmanager
def said_when_failed(tell: Callable[[str], None]) -> Iterator[None]:
    """Tell whoever follows the job why it failed."""
    try:
        yield
    except RefusedError as error:
        metrics.RELEASES.labels("refused").inc()
        tell(f"refused: {error}")
        raise
    except Exception as error:
        tell(f"failed: {error}")
        raise


def stop_reason(context: JobContext, connection: psycopg.Connection) -> str | None:
    """Why the release under way should stop, if somebody wants that."""
    if context.should_abort():
        return "the releaser was told to stop"
    waiting = record.rollback_waiting(connection)
    return asked_for_by(waiting) if waiting else None


def asked_for_by(job_id: int | None) -> str:
    """The reason of an abort that a rollback asked for."""
    return f"a rollback was asked for (job {job_id})"


def stopped_a_release(ground: Ground) -> bool:
    """Whether this rollback already had its effect: it ended the release that was under way."""
    last = record.last_step(ground.connection)
    stopped = last is not None and last.reason == asked_for_by(ground.job_id)
    if last and stopped:
        ground.say(
            f"the release of {last.version} was stopped; live as before: {last.live_version}"
        )
    return stopped


def done_already(ground: Ground, context: JobContext) -> bool:
    """Whether an earlier attempt at this job, whose worker died, had come to its good end.

    Raises:
        AbortedError: it had not; traffic was put back, and a person decides whether to try again.
    """
    died = recover(ground.connection, ground.settings)
    if not context.job.attempts:
        return False
    last = record.last_step(ground.connection, ground.job_id)
    if last and last.step == "promote":
        return True
    reason = died or (last.reason if last else "the releaser died before it began")
    raise AbortedError(f"{reason}; traffic is where it was, ask again")

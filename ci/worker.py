"""The jobs of the queue `release`: release, rollback, and the release that comes by itself.

A job whose releaser was killed is not done again: an unfinished release is a failed release,
and a person or the next schedule decides about another.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any

import psycopg
import structlog
from procrastinate import App, JobContext
from procrastinate.jobs import Status

from ci import metrics
from ci.code.rollout import Asked, release_code
from ci.errors import RefusedError
from ci.experiment import run as experiment_run
from ci.release import records
from ci.release.course import Course
from ci.release.environment import Environment
from ci.release.history import OF_CODE
from ci.release.recovery import DIED, Recovered, recover
from ci.release.rollout import release, rollback
from ci.release.slots import slot_client
from ci.settings import Settings
from compose.service.jobs import job_app, say

LOG = structlog.get_logger()

QUEUE = "release"
RECONNECTS, RECONNECT_SECONDS = 20, 1.0


class Quality(StrEnum):
    """Whether a release has people judge its version."""

    JUDGE = "judge"
    SKIP = "skip"


def register(app: App, settings: Settings) -> None:
    """Give the queue its tasks."""

    @app.task(name="release", queue=QUEUE, pass_context=True)
    def release_task(
        context: JobContext, version: str | None = None, quality: str = Quality.JUDGE
    ) -> None:
        with held_environment(settings, context) as held:
            environment = replace(held, judges_quality=quality == Quality.JUDGE)
            release(environment, records.choose_version(environment.connection, version))

    @app.task(name="release_code", queue=QUEUE, pass_context=True)
    def release_code_task(context: JobContext, /, **wanted: Any) -> None:
        with held_environment(settings, context) as held:
            asked = Asked(**wanted)
            going_back = replace(held, stop_reason=lambda: told_to_stop(context))
            release_code(going_back if asked.back else held, asked)

    @app.task(name="rollback", queue=QUEUE, pass_context=True)
    def rollback_task(context: JobContext, leaving: str | None = None) -> None:
        with held_environment(settings, context) as held:
            environment = replace(held, stop_reason=lambda: told_to_stop(context))
            if not stopped_a_release(environment, leaving):
                rollback(environment, leaving)

    @app.task(name="experiment", queue=QUEUE, pass_context=True)
    def experiment_task(context: JobContext, /, **wanted: Any) -> None:
        with held_environment(settings, context) as environment:
            asked = experiment_run.Wanted(**wanted)
            records.choose_version(environment.connection, asked.challenger)
            experiment_run.start(environment, asked)

    @app.task(name="experiment_stop", queue=QUEUE, pass_context=True)
    def experiment_stop_task(context: JobContext, reason: str, harm: str | None = None) -> None:
        with held_environment(settings, context) as environment:
            experiment_run.stop(environment, reason, harm)

    @app.task(
        name="scheduled_release",
        queue=QUEUE,
        lock=QUEUE,
        queueing_lock="scheduled_release",
        pass_context=True,
    )
    def scheduled_release_task(context: JobContext, timestamp: int) -> None:
        with held_environment(settings, context) as environment:
            release_if_new(environment, timestamp)

    if settings.schedule == "internal" and settings.release_cron:
        app.periodic(cron=settings.release_cron)(scheduled_release_task)


def release_if_new(environment: Environment, timestamp: int) -> None:
    """Release the newest version unless it was tried before: then a person decides.

    Before the first there is nothing to release, and nothing has failed.
    """
    due = f"{datetime.fromtimestamp(timestamp, UTC):%H:%M} UTC"
    try:
        version = records.choose_version(environment.connection, None)
    except RefusedError as none:
        environment.say(f"nothing to release at {due}: {none}")
        return
    if records.was_released(environment.connection, version):
        environment.say(f"nothing new to release at {due}: {version} was tried before")
        return
    release(environment, version)


@contextmanager
def held_environment(settings: Settings, context: JobContext) -> Iterator[Environment]:
    """The environment of one job, held by nobody else, with whatever died on it cleared away."""
    job_id = context.job.id
    if job_id is None:
        raise TypeError("a job that is worked on has an id")
    conninfo = settings.conninfo()
    with (
        made_good(settings, job_id),
        psycopg.connect(conninfo, autocommit=True) as connection,
        slot_client() as client,
        said_when_failed(lambda words: say(conninfo, job_id, words)),
        records.sole_releaser(connection),
        metrics.RUNNING.track_inprogress(),
    ):

        def look_around() -> str | None:
            leave_alone(connection, conninfo, job_id)
            return stop_reason(context, connection)

        environment = Environment(
            connection,
            client,
            settings,
            lambda words: say(conninfo, job_id, words),
            look_around,
            job_id,
            course=Course(lambda words, share: say(conninfo, job_id, words, share)),
        )
        recover_all(environment)
        yield environment


def recover_all(environment: Environment, why: str = DIED) -> Recovered | None:
    """Finish or undo what died in the middle, and go on with the experiments that still run."""
    recovered = recover(environment, why)
    experiment_run.resume(environment.connection, environment.settings)
    return recovered


@contextmanager
def made_good(settings: Settings, job_id: int) -> Iterator[None]:
    """Where the session is lost in the middle of a job, finish or undo what it did by another.

    What was sent last may be recorded, though nobody was told: the database says by what it has
    how the job ended.
    """
    try:
        yield
    except psycopg.OperationalError:
        for _ in range(RECONNECTS):
            with suppress(psycopg.OperationalError, RefusedError):  # PostgreSQL may hold the lock
                if recovered_ending(settings, job_id) is Status.SUCCEEDED:
                    return
                break
            time.sleep(RECONNECT_SECONDS)
        raise


def recovered_ending(settings: Settings, job_id: int) -> Status:
    """Do for a job whose session was lost what the next releaser would; how the job ended."""
    conninfo = settings.conninfo()
    with psycopg.connect(conninfo, autocommit=True) as connection, slot_client() as client:
        tell = partial(say, conninfo, job_id)
        environment = Environment(connection, client, settings, tell, lambda: None)
        with records.sole_releaser(connection):
            recover_all(environment, "the session with the database was lost")
            status = how_it_ended(connection, job_id)
        if status is Status.SUCCEEDED:
            tell("promote: it is live, as the database says; the session was lost meanwhile")
        return status


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
    if reason := told_to_stop(context):
        return reason
    if waiting := records.rollback_waiting(connection):
        return asked_for_by(waiting)
    if newer := records.superseding(connection):
        return "superseded by the release of {1} (job {0})".format(*newer)
    return None


def told_to_stop(context: JobContext) -> str | None:
    """The one reason that stops a rollback, too."""
    return "the releaser was told to stop" if context.should_abort() else None


def leave_alone(connection: psycopg.Connection, conninfo: str, job_id: int) -> None:
    """Let no release by schedule wait behind one that may be judged for days; say so to both.

    Whoever keeps the schedule, and whoever began the release; behind anything else it waits.
    """
    last = records.last_step(connection)
    if last is None or last.ended or last.action in OF_CODE:
        return
    with connection.transaction():  # who waits for it has read why when they see that it ended
        for scheduled in records.turn_away_scheduled(connection):
            words = f"the release under way (job {job_id}) is left alone by the one that was due"
            say(conninfo, job_id, words)
            say(conninfo, scheduled, words)


def asked_for_by(job_id: int | None) -> str:
    """The reason of an abort that a rollback asked for."""
    return f"a rollback was asked for (job {job_id})"


def stopped_a_release(environment: Environment, leaving: str | None) -> bool:
    """Whether this rollback already had its effect: it ended the release that was under way."""
    last = records.last_step(environment.connection)
    if last is None or last.reason != asked_for_by(environment.job_id):
        return False
    words = f"the {last.action} of {last.version} was stopped; live as before: {last.live_version}"
    environment.say(words)
    return leaving in {None, last.version, records.CODE_UNDER_WAY}


def clear_up(settings: Settings) -> None:
    """Finish or undo what the last releaser left when it died: the traffic first, then its jobs.

    Until a job is ended it holds the queue, and a rollback would wait behind it.
    """
    conninfo = settings.conninfo()
    with psycopg.connect(conninfo, autocommit=True) as connection, slot_client() as client:
        environment = Environment(connection, client, settings, LOG.warning, lambda: None)
        try:
            with records.sole_releaser(connection):
                recovered = recover_all(environment)
                end_jobs(environment, recovered.words if recovered else DIED)
        except RefusedError:
            metrics.show_live(records.deployed(connection))


def end_jobs(environment: Environment, words: str) -> None:
    """End the jobs of the releaser that died, and tell whoever follows them what became of it."""
    connection, conninfo = environment.connection, environment.settings.conninfo()
    ends = {job: how_it_ended(connection, job) for job in records.jobs_begun(connection)}
    for job, status in ends.items():
        outcome = "failed" if status is Status.FAILED else "done"
        say(conninfo, job, f"{outcome}: {words}")
    asyncio.run(_end_jobs(job_app(conninfo), ends))


def how_it_ended(connection: psycopg.Connection, job_id: int) -> Status:
    """How a job ended whose releaser died: well, if it had got to its last step."""
    last = records.last_step(connection, job_id)
    return Status.SUCCEEDED if last and last.step == "promote" else Status.FAILED


async def _end_jobs(app: App, ends: Mapping[int, Status]) -> None:
    async with app.open_async():
        for job_id, status in ends.items():
            await app.job_manager.finish_job_by_id_async(job_id, status, delete_job=False)

"""The rows a release reads and writes: models to choose from, deployments, experiments."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal, TypedDict

import psycopg
from psycopg.rows import class_row

from ci.certificate.contents import text_hash
from ci.errors import RefusedError
from ci.release.history import OF_CODE, Promotion, deployed_after
from ci.release.plan import DeploymentState, Placement
from ci.slots.state import Slot

Action = Literal["release", "rollback", "code release", "code rollback"]
StepName = Literal[
    "start", "place", "code", "ready", "replay", "shift", "watch", "promote", "abort"
]

CODE_UNDER_WAY = "the code that was under way"
"""What a rollback leaves that was asked for during a release or rollback of code; no version."""
PROMOTIONS_LOOKED_AT = 1000
"""So many say what is live and what was before it, however many rollbacks are among them."""


@dataclass(frozen=True)
class Deployment:
    """One step of a release or rollback; columns as in the table of that name."""

    job_id: int | None
    action: Action
    step: StepName
    version: str
    slot: str
    share: int
    live_version: str | None
    live_slot: str | None
    reason: str
    evidence: str | None = None
    certificate: str | None = None

    @property
    def ended(self) -> bool:
        """Whether this step was the last of its release or rollback."""
        return self.step in ("promote", "abort")

    @property
    def certificate_hash(self) -> str | None:
        """What the next certificate names."""
        return text_hash(self.certificate) if self.certificate else None

    def aborted(self, deployed: DeploymentState, reason: str) -> "Deployment":
        """The step that ends this unfinished release or rollback."""
        live = deployed.live
        return replace(
            self,
            step="abort",
            share=0,
            live_version=live.version if live else None,
            live_slot=live.slot if live else None,
            reason=reason,
            evidence=None,
        )


class Details(TypedDict, total=False):
    """What only some steps have."""

    slot: str
    evidence: str | None
    certificate: str


@contextmanager
def sole_releaser(connection: psycopg.Connection) -> Iterator[None]:
    """Hold the lock that lets one process at a time touch the state volume.

    It belongs to the database session, so it goes when the process does.

    Raises:
        RefusedError: another process holds it.
    """
    key = "hashtext('marquee release')"
    if connection.execute(f"SELECT pg_try_advisory_lock({key})").fetchone() == (False,):
        raise RefusedError("another releaser is at work")
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(f"SELECT pg_advisory_unlock({key})")


def record(connection: psycopg.Connection, deployment: Deployment) -> None:
    """Record a step of a release or rollback."""
    connection.execute(
        "INSERT INTO deployment"
        " (job_id, action, step, version, slot, share, live_version, live_slot, reason, evidence,"
        " certificate, certificate_hash)"
        " VALUES (%(job_id)s, %(action)s, %(step)s, %(version)s, %(slot)s, %(share)s,"
        " %(live_version)s, %(live_slot)s, %(reason)s, %(evidence)s,"
        " %(certificate)s, %(certificate_hash)s)",
        {**vars(deployment), "certificate_hash": deployment.certificate_hash},
    )


def last_step(connection: psycopg.Connection, job_id: int | None = None) -> Deployment | None:
    """The latest step of all, or of one job."""
    with connection.cursor(row_factory=class_row(Deployment)) as cursor:
        return cursor.execute(
            "SELECT job_id, action, step, version, slot, share, live_version, live_slot, reason,"
            " evidence FROM deployment WHERE %(job_id)s::bigint IS NULL OR job_id = %(job_id)s"
            " ORDER BY step_id DESC LIMIT 1",
            {"job_id": job_id},
        ).fetchone()


def deployed(connection: psycopg.Connection) -> DeploymentState:
    """What is live, and what a rollback would return to."""
    promoted = connection.execute(
        "SELECT action, live_slot, live_version FROM deployment"
        " WHERE step = 'promote' ORDER BY step_id DESC LIMIT %s",
        (PROMOTIONS_LOOKED_AT,),
    ).fetchall()
    return deployed_after(
        Promotion(action, Placement(Slot(slot), version))
        for action, slot, version in reversed(promoted)
    )


def version_to_leave(connection: psycopg.Connection) -> str | None:
    """What whoever asks for a rollback now wants to be rid of: what is being released, or live."""
    last = last_step(connection)
    if last and not last.ended and last.action in OF_CODE:
        return CODE_UNDER_WAY
    if last and not last.ended and last.action == "release":
        return last.version
    return last.live_version if last else None


def code_went_live_last(connection: psycopg.Connection) -> bool:
    """Whether what a rollback now would put back is code: nothing is under way, and it was last."""
    last, promoted = last_step(connection), went_live_by(connection)
    return bool(last and last.ended and promoted and promoted[1] == "code release")


def went_live_by(connection: psycopg.Connection) -> tuple[int, str] | None:
    """The step by which what is live went live, and what that belonged to."""
    return connection.execute(
        "SELECT step_id, action FROM deployment WHERE step = 'promote'"
        " ORDER BY step_id DESC LIMIT 1"
    ).fetchone()


def choose_version(connection: psycopg.Connection, asked_for: str | None) -> str:
    """The version that was asked for, or else the newest that the offline gate accepted.

    Raises:
        RefusedError: there is none, or the gate refused it.
    """
    row = connection.execute(
        "SELECT version, verdict, reason FROM model_version"
        " WHERE version = %(asked_for)s OR (%(asked_for)s::text IS NULL AND verdict = 'accepted')"
        " ORDER BY created_at DESC, version DESC LIMIT 1",
        {"asked_for": asked_for},
    ).fetchone()
    if row is None:
        raise RefusedError(
            f"there is no version {asked_for}"
            if asked_for
            else "there is no accepted version yet; `make retrain` trains one"
        )
    version, verdict, reason = row
    if verdict != "accepted":
        raise RefusedError(f"the offline gate refused {version}: {reason}")
    return str(version)


def was_released(connection: psycopg.Connection, version: str) -> bool:
    """Whether a release of `version` was ever begun."""
    return (
        connection.execute(
            "SELECT FROM deployment WHERE version = %s LIMIT 1", (version,)
        ).fetchone()
        is not None
    )


def was_anybody_answered(connection: psycopg.Connection) -> bool:
    """Whether this stack ever answered: receipts expire, what they were worth is kept longer."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM receipt) OR EXISTS (SELECT FROM online_metric)"
        " OR EXISTS (SELECT FROM deployment WHERE certificate IS JSON OBJECT"
        "   AND (certificate::jsonb ->> 'requests')::bigint > 0)"
    ).fetchone()
    return row == (True,)


def times_begun(connection: psycopg.Connection, version: str) -> int:
    """How many releases of `version` were begun."""
    row = connection.execute(
        "SELECT count(*) FROM deployment WHERE version = %s AND step = 'start'", (version,)
    ).fetchone()
    return row[0] if row else 0


def jobs_open(connection: psycopg.Connection) -> bool:
    """Whether any release or rollback waits or is under way."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM procrastinate_jobs"
        " WHERE queue_name = 'release' AND status IN ('todo', 'doing'))"
    ).fetchone()
    return row == (True,)


def end_experiments(connection: psycopg.Connection, reason: str) -> list[str]:
    """End whatever experiment runs, since a release needs its slot; the names of those ended."""
    ended = connection.execute(
        "UPDATE experiment SET ended_at = now(), end_reason = %s"
        " WHERE ended_at IS NULL RETURNING name",
        (reason,),
    )
    return [name for (name,) in ended.fetchall()]


def rollback_waiting(connection: psycopg.Connection) -> int | None:
    """The id of a rollback that somebody asked for and that waits."""
    row = connection.execute(
        "SELECT id FROM procrastinate_jobs WHERE queue_name = 'release'"
        " AND task_name = 'rollback' AND status = 'todo' ORDER BY id LIMIT 1"
    ).fetchone()
    return row[0] if row else None


def superseding(connection: psycopg.Connection) -> tuple[int, str] | None:
    """The waiting release of other code, or of another version than the one under way.

    Returns its job, and what it releases. A model waits for the end of a release of code.
    """
    row = connection.execute(
        "WITH last AS (SELECT action, version FROM deployment ORDER BY step_id DESC LIMIT 1),"
        " waiting AS (SELECT id, task_name, args FROM procrastinate_jobs"
        " WHERE queue_name = 'release' AND status = 'todo'),"
        " asked AS ("
        " SELECT id, coalesce(args ->> 'version', (SELECT version FROM model_version"
        "   WHERE verdict = 'accepted' ORDER BY created_at DESC, version DESC LIMIT 1)) AS what"
        " FROM waiting WHERE task_name = 'release'"
        " AND (SELECT action FROM last) <> ALL (%s))"
        " SELECT id, what FROM asked WHERE what <> (SELECT version FROM last)"
        " UNION ALL SELECT id, 'the code of ' || (args ->> 'image') FROM waiting"
        " WHERE task_name = 'release_code'"
        " ORDER BY id LIMIT 1",
        (list(OF_CODE),),
    ).fetchone()
    return (row[0], row[1]) if row else None


def turn_away_scheduled(connection: psycopg.Connection) -> list[int]:
    """Cancel the release by schedule that waits behind the one under way; its job's id."""
    rows = connection.execute(
        "UPDATE procrastinate_jobs SET status = 'cancelled' WHERE queue_name = 'release'"
        " AND task_name = 'scheduled_release' AND status = 'todo' RETURNING id"
    )
    return [job_id for (job_id,) in rows.fetchall()]


def turn_away(connection: psycopg.Connection, job_id: int) -> bool:
    """Cancel a job that waits; whether it did."""
    row = connection.execute(
        "UPDATE procrastinate_jobs SET status = 'cancelled' WHERE id = %s AND status = 'todo'"
        " RETURNING id",
        (job_id,),
    ).fetchone()
    return row is not None


def jobs_begun(connection: psycopg.Connection) -> list[int]:
    """The jobs of the queue that some releaser, alive or dead, has begun and not ended."""
    rows = connection.execute(
        "SELECT id FROM procrastinate_jobs WHERE queue_name = 'release' AND status = 'doing'"
    )
    return [job_id for (job_id,) in rows.fetchall()]


def online_figures(connection: psycopg.Connection, version: str) -> str:
    """What people did after a version's answers, to end a sentence; empty while none is known."""
    rows = connection.execute(
        "SELECT DISTINCT ON (metric, arm) metric, value, samples FROM online_metric"
        " WHERE model_version = %s AND arm = 'control' AND reason = 'all' AND segment = 'all'"
        " AND low IS NOT NULL ORDER BY metric, arm, window_start DESC",
        (version,),
    ).fetchall()
    words = ", ".join(f"{metric} {value:.3g} (n={samples})" for metric, value, samples in rows)
    return f"; online: {words}" if words else ""

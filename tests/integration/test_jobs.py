"""A killed worker's job is freed; one that fails at all has no heartbeat; one that hangs ends."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from compose.service.jobs import (
    ATTEMPTS,
    ENDED,
    defer,
    every_attempt_fails,
    free_stalled_jobs,
    job_app,
    job_status,
)
from compose.service.watchdog import HUNG
from tests.ports import free_port
from tests.stores import service_environment
from tests.waiting import eventually


def left_behind(connection, status_of_same_task=None):
    """The id of a job that a worker was doing when it was killed."""
    connection.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
    connection.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 h'")
    (job,) = connection.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, status, worker_id)"
        " SELECT 'train', 'train', 'train', 'doing', id FROM procrastinate_workers RETURNING id"
    ).fetchone()
    if status_of_same_task:
        connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, status)"
            " VALUES ('train', 'train', 'train', %s)",
            (status_of_same_task,),
        )
    return job


async def free(conninfo):
    app = job_app(conninfo)
    async with app.open_async():
        await free_stalled_jobs(app, "train")


@pytest.mark.parametrize(("same_task", "becomes"), [(None, "todo"), ("todo", "failed")])
def test_a_job_whose_worker_is_gone_does_not_stay_in_hand(conninfo, same_task, becomes):
    with psycopg.connect(conninfo("trainer"), autocommit=True) as connection:
        job = left_behind(connection, same_task)
        asyncio.run(free(conninfo("trainer")))
        assert job_status(connection, job) == becomes


def ended(connection, *statuses, queue="retain"):
    """Have jobs of a queue ended so, the newest last."""
    for status in statuses:
        connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
            " VALUES (%s, 'retain', %s)",
            (queue, status),
        )


@pytest.mark.parametrize(
    ("statuses", "fails"),
    [
        ([], False),
        (["failed"] * (ATTEMPTS - 1), False),
        (["failed"] * ATTEMPTS, True),
        (["succeeded", *["failed"] * ATTEMPTS, "todo", "doing", "aborted"], True),
        (["failed"] * ATTEMPTS + ["succeeded"], False),
        (["failed", "succeeded", "failed", "failed"], False),
    ],
)
def test_every_attempt_fails_when_the_last_ones_all_did(conninfo, statuses, fails):
    with psycopg.connect(conninfo("marquee"), autocommit=True) as connection:
        ended(connection, *["failed"] * ATTEMPTS)  # before this worker came
        (before,) = connection.execute("SELECT max(id) FROM procrastinate_jobs").fetchone()
        ended(connection, *statuses)
        ended(connection, *["succeeded"] * ATTEMPTS, queue="train")

    async def ask():
        app = job_app(conninfo("retention"))
        async with app.open_async():
            return await every_attempt_fails(app, "retain", before)

    assert asyncio.run(ask()) is fails


@contextmanager
def retention_process(environment: dict[str, str]) -> Iterator[subprocess.Popen]:
    command = [sys.executable, "-m", "ingest", "retain", "work"]
    with subprocess.Popen(command, env=os.environ | environment) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def test_a_worker_has_no_heartbeat_while_every_attempt_fails_and_has_one_again_afterwards(
    conninfo, tmp_path
):
    each_second, never = "* * * * * *", "0 0 1 1 *"
    heartbeat = tmp_path / "heartbeat"
    environment = service_environment(conninfo("retention"), tmp_path) | {
        "HEARTBEAT_FILE": str(heartbeat),
        "METRICS_PORT": str(free_port()),
        "RETAIN_CRON": never,
        "FULL_AUDIT_CRON": never,
        "CATALOGUE_CRON": never,
        "AUDIT_CRON": each_second,
    }
    with psycopg.connect(conninfo("marquee"), autocommit=True) as owner:

        def audits(status):
            return owner.execute(
                "SELECT count(*) FROM procrastinate_jobs WHERE status = %s", (status,)
            ).fetchone()[0]

        def beats():
            heartbeat.unlink(missing_ok=True)
            count = audits("failed") + audits("succeeded")
            eventually(lambda: audits("failed") + audits("succeeded") >= count + 8, 120)
            return heartbeat.exists()

        owner.execute("REVOKE ALL ON ingest_audit FROM retention")
        with retention_process(environment):
            eventually(lambda: audits("failed") >= ATTEMPTS, 60)
            eventually(lambda: not beats(), 120)
            owner.execute("GRANT ALL ON ingest_audit TO retention")
            eventually(lambda: audits("succeeded") >= 1, 60)
            eventually(beats, 120)


PATIENT_WORKER = """
import sys, time
from pathlib import Path
from compose.service import jobs
app = jobs.job_app(sys.argv[1])

@app.task(name="train", pass_context=True)
def train(context):
    for _ in range(50):
        time.sleep(0.1)
        if context.should_abort():
            raise RuntimeError("told to stop")

jobs.work(app, "train", Path(sys.argv[2]))
"""
ABORT = """{"type": "abort_job_requested", "job_id": %s}"""


@pytest.mark.parametrize("role", ["analyst", "recommender"])
def test_nobody_else_ends_a_job_by_a_notification_which_every_role_may_send(
    conninfo, tmp_path, role
):
    worker = [sys.executable, "-c", PATIENT_WORKER, conninfo("trainer"), tmp_path / "heartbeat"]
    with (
        psycopg.connect(conninfo("trainer"), autocommit=True) as connection,
        psycopg.connect(conninfo(role), autocommit=True) as other,
        subprocess.Popen(worker) as process,
    ):
        job = defer(job_app(conninfo("trainer")), "train", "train")
        eventually(lambda: job_status(connection, job) == "doing", 120, "a worker that took it")

        def ended_in_spite_of_it() -> bool:
            for payload in (ABORT % job, "no JSON"):
                for channel in ("procrastinate_any_queue_v1", "procrastinate_queue_v1#train"):
                    other.execute("SELECT pg_notify(%s, %s)", (channel, payload))
            return job_status(connection, job) in ENDED

        eventually(ended_in_spite_of_it, 120, "an end of it")
        process.terminate()
        assert job_status(connection, job) == "succeeded"


HANGING_WORKER = """
import sys, time
from pathlib import Path
from compose.service import jobs, watchdog
watchdog.LOOK_SECONDS, watchdog.LOOKS = 0.1, 30
jobs.HEARTBEAT_SECONDS = 0.1
app = jobs.job_app(sys.argv[1])

@app.task(name="train")
async def train():
    time.sleep(600)  # in the loop itself, which nothing then turns

jobs.work(app, "train", Path(sys.argv[2]))
"""


def test_a_worker_whose_loop_hangs_ends_and_leaves_its_job_to_the_next(conninfo, tmp_path):
    with psycopg.connect(conninfo("trainer"), autocommit=True) as connection:
        (job,) = connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock)"
            " VALUES ('train', 'train', 'train', 'train') RETURNING id"
        ).fetchone()
        worker = [sys.executable, "-c", HANGING_WORKER, conninfo("trainer"), tmp_path / "heartbeat"]
        ended = subprocess.run(worker, check=False, timeout=240)
        assert ended.returncode == HUNG
        assert job_status(connection, job) == "doing"
        connection.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 h'"
        )
        asyncio.run(free(conninfo("trainer")))
        assert job_status(connection, job) == "todo"

"""A killed worker's job is freed, whatever else waits; what ended long ago is forgotten."""

import asyncio

import psycopg
import pytest

from compose.service.jobs import free_stalled_jobs, job_app, job_status


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

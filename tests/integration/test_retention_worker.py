import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from procrastinate.exceptions import JobAborted

from ingest.settings import RetentionSettings
from ingest.worker import retention_app, stoppable_connection


@pytest.fixture
def retention(conninfo):
    settings = RetentionSettings(
        database_user="retention", database_passfile=Path("none"), metadata_url=""
    )
    return retention_app(settings, conninfo("retention"), lambda: datetime.now(UTC))


def work_once(app, *tasks: str) -> None:
    """Defer the tasks and work until none is left."""

    async def work() -> None:
        async with app.open_async():
            for task in tasks:
                await app.configure_task(task, queue="retain").defer_async()
            await app.run_worker_async(queues=["retain"], wait=False, install_signal_handlers=False)

    asyncio.run(work())


def test_each_task_does_its_work_with_the_rights_of_retention(conninfo, retention):
    work_once(retention, "retain", "audit", "catalogue")
    with psycopg.connect(conninfo("analyst")) as connection:
        assert connection.execute(
            "SELECT DISTINCT status::text FROM procrastinate_jobs"
            " WHERE task_name IN ('retain', 'audit', 'catalogue')"
        ).fetchall() == [("succeeded",)]


def test_a_long_statement_ends_when_the_worker_is_to_stop(conninfo):
    begun = time.monotonic()
    with (
        pytest.raises(JobAborted),
        stoppable_connection(
            conninfo("retention"), lambda: time.monotonic() - begun > 0.5
        ) as connection,
    ):
        connection.execute("SELECT pg_sleep(3600)")

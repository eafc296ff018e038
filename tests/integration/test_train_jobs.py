"""The trainer's worker and command, as processes, on a real queue."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.stores import service_environment

PATIENCE_SECONDS = 120
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
def environment(conninfo, tmp_path):
    """What the container's environment would be."""
    return {
        **os.environ,
        **service_environment(conninfo("trainer"), tmp_path),
        "MODELS_DIRECTORY": str(tmp_path / "models"),
        "HEARTBEAT_FILE": str(tmp_path / "heartbeat"),
        "METRICS_PORT": "0",
        "RETRAIN_CRON": "",
    }


def load(conninfo, users, movies=200):
    with (
        psycopg.connect(conninfo("ingest")) as connection,
        connection.cursor().copy(
            "COPY rating (time, user_id, movie_id, rating, log_partition, log_offset) FROM STDIN"
        ) as copy,
    ):
        for user in range(users):
            for place in range(10):
                movie = f"movie+{(user * 7 + place * 3) % movies:04}+1999"
                copy.write_row((TODAY + timedelta(minutes=place), user, movie, 4, 0, 0))


@contextmanager
def working(environment):
    worker = start("work", environment)
    try:
        yield worker
    finally:
        worker.kill()
        worker.communicate()


def start(command, environment):
    return subprocess.Popen(
        [sys.executable, "-m", "trainer", command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def said(conninfo):
    with psycopg.connect(conninfo("trainer")) as connection:
        return [row[0] for row in connection.execute("SELECT message FROM job_log ORDER BY 1")]


def job_states(conninfo):
    with psycopg.connect(conninfo("trainer")) as connection:
        return [row[0] for row in connection.execute("SELECT status::text FROM procrastinate_jobs")]


def test_retrain_shows_progress_and_ends_with_a_report(conninfo, environment):
    load(conninfo, users=60)
    with working(environment):
        retrain = start("retrain", environment)
        output, _ = retrain.communicate(timeout=PATIENCE_SECONDS)
    assert retrain.returncode == 0
    assert "read 600 interactions of 60 users" in output
    assert "gate       " in output.splitlines()[-1]


def test_retrain_fails_when_there_is_nothing_to_train_on(environment):
    with working(environment):
        retrain = start("retrain", environment)
        output, _ = retrain.communicate(timeout=PATIENCE_SECONDS)
    assert retrain.returncode == 1
    assert output.splitlines()[-1].endswith(
        "no version was trained: nothing to train on: there is no rating and no viewing yet"
    )


def test_a_training_that_is_due_before_the_first_rows_does_not_fail(conninfo, environment):
    with working(environment | {"RETRAIN_CRON": "* * * * * */2"}):
        wait_for(lambda: {"succeeded", "failed"} & set(job_states(conninfo)))
        assert "failed" not in job_states(conninfo)
    assert "no version was trained: nothing to train on" in said(conninfo)[0]


def versions(conninfo):
    with psycopg.connect(conninfo("trainer")) as connection:
        return connection.execute("SELECT algorithm, verdict FROM model_version").fetchall()


def test_the_first_training_comes_by_itself(conninfo, environment):
    load(conninfo, users=3)
    with working(environment | {"RETRAIN_CRON": "0 3 * * *"}):
        wait_for(lambda: versions(conninfo))
    assert versions(conninfo) == [("popularity", "accepted")]


def test_a_second_request_joins_the_one_that_waits(environment):
    first, second = (start("retrain", environment) for _ in range(2))
    try:
        told = {first.stdout.readline(), second.stdout.readline()}
    finally:
        for process in (first, second):
            process.kill()
            process.communicate()
    assert len(told) == 1
    assert told.pop().startswith("training is job ")


def test_sigterm_ends_an_idle_worker_with_success(environment, tmp_path):
    with working(environment) as worker:
        wait_for((tmp_path / "heartbeat").exists)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=10) == 0


def test_a_training_that_is_interrupted_leaves_nothing_and_is_begun_again(
    conninfo, environment, tmp_path
):
    load(conninfo, users=300, movies=300)
    with working(environment) as worker:
        retrain = start("retrain", environment)
        wait_for(lambda: said(conninfo))
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=15) == 0
    assert job_states(conninfo) == ["todo"]
    assert not list((tmp_path / "models").glob("versions/2*"))
    with working(environment):
        assert retrain.wait(timeout=PATIENCE_SECONDS) == 0
    retrain.communicate()

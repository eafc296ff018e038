import os
import signal
import subprocess
import sys
import time
import urllib.request

import psycopg
import pytest

from tests.ports import free_port
from tests.stores import service_environment

SECONDS_TO_ANSWER = 60
SECONDS_TO_STOP = 10


def scrape(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=1) as answer:
        return answer.read().decode()


def wait_for(text, port):
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    page = ""
    while text not in page:
        assert time.monotonic() < deadline, f"{text!r} never shown in:\n{page}"
        time.sleep(0.2)
        try:
            page = scrape(port)
        except OSError:
            continue
    return page


def wait_for_lock(connection):
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = %s::regclass)"
    while connection.execute(waiting, ("evaluation_progress",)).fetchone() == (False,):
        assert time.monotonic() < deadline, "no pass ever waited for its progress"
        time.sleep(0.2)


@pytest.fixture
def environment(conninfo, tmp_path):
    """The environment of a service that works as the role `evaluation` on the test's database."""
    return os.environ | {
        **service_environment(conninfo("evaluation"), tmp_path),
        "HEARTBEAT_FILE": str(tmp_path / "heartbeat"),
        "METRICS_PORT": str(free_port()),
        "EVALUATE_CRON": "* * * * * */1",
        "EVALUATION_WINDOW": "PT1M",
        "EVALUATION_HORIZON": "PT1M",
        "COLUMNS": "200",  # of who looks; test processes side by side have 80
    }


@pytest.fixture
def worker(environment):
    command = [sys.executable, "-m", "monitoring", "evaluate", "work"]
    with subprocess.Popen(command, env=environment) as process:
        yield process
        process.kill()


def land_a_judged_answer(connection):
    connection.execute(
        "INSERT INTO receipt VALUES (gen_random_uuid(), now() - interval '10 min', 1,"
        " ARRAY['a'], 'v1', 'blue', 0, 'control', 'model', 1)"
    )
    connection.execute("INSERT INTO watch VALUES (now() - interval '590 s', 1, 'a', 0, 0, 0)")
    connection.execute("INSERT INTO watch VALUES (now(), 2, 'b', 0, 0, 999)")
    connection.execute("INSERT INTO stream_offset VALUES ('log', 0, 0, 1000)")


@pytest.mark.usefixtures("worker")
def test_the_worker_judges_periodically_and_shows_the_figures(conninfo, environment):
    with psycopg.connect(conninfo("marquee"), autocommit=True) as connection:
        land_a_judged_answer(connection)
    labels = 'arm="control",metric="hit_rate",model_version="v1",reason="all",segment="all"'
    figure = f"marquee_online_metric{{{labels}}} 1.0"
    page = wait_for(figure, int(environment["METRICS_PORT"]))
    assert "marquee_evaluation_watermark_lag_seconds" in page


def test_the_worker_stops_when_told_to(environment, worker):
    wait_for("marquee_evaluation_last_pass_timestamp_seconds 1", int(environment["METRICS_PORT"]))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(SECONDS_TO_STOP) == 0


def test_the_worker_stops_in_the_middle_of_a_pass(conninfo, environment, worker):
    metrics_port = int(environment["METRICS_PORT"])
    wait_for("marquee_evaluation_last_pass_timestamp_seconds 1", metrics_port)
    with psycopg.connect(conninfo("marquee")) as connection:
        connection.execute("LOCK TABLE evaluation_progress")
        wait_for_lock(connection)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(SECONDS_TO_STOP) == 0


def test_one_pass_prints_what_it_found(conninfo, environment):
    with psycopg.connect(conninfo("marquee"), autocommit=True) as connection:
        land_a_judged_answer(connection)
    command = [sys.executable, "-m", "monitoring", "evaluate", "pass"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "hit_rate" in done.stdout

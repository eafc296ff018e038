"""What a drill of the running stack spares: it asks the database for what is under way."""

from pathlib import Path

import psycopg
import pytest

UNDER_WAY = (Path(__file__).parents[2] / "compose/drill/under_way.sql").read_text()


@pytest.fixture
def under_way(conninfo):
    """Ask as the drill does: as the role analyst."""

    def ask():
        with psycopg.connect(conninfo("analyst")) as connection:
            return connection.execute(UNDER_WAY).fetchone()[0]

    return ask


def add_job(owner, task, queue, status):
    owner.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES (%s, %s)", (queue, task)
    )
    owner.execute(
        "UPDATE procrastinate_jobs SET status = %s WHERE task_name = %s AND status <> %s",
        (status, task, status),
    )


def test_a_release_that_waits_and_a_training_are_under_way(owner, under_way):
    add_job(owner, "train", "train", "doing")
    add_job(owner, "release_code", "release", "todo")
    training, release = under_way().split(", ")
    assert training.startswith("train (job 1) since 20")
    assert release.startswith("release code (job 2) since 20")


def test_so_is_an_experiment_that_runs_until_its_end(owner, under_way):
    owner.execute(
        "INSERT INTO experiment (name, control, challenger, challenger_slot, salt, seed, horizon,"
        " margin, largest_sample) VALUES ('newer', 'a', 'b', 'green', '', 1, '1 day', 0.02, 100)"
    )
    assert under_way().startswith("experiment newer since 20")
    owner.execute("UPDATE experiment SET ended_at = now()")
    assert under_way() is None


def test_what_has_ended_or_recurs_each_minute_is_not(owner, under_way):
    add_job(owner, "release", "release", "succeeded")
    add_job(owner, "train", "train", "failed")
    add_job(owner, "evaluate", "evaluate", "doing")
    assert under_way() is None

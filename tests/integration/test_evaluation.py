import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from monitoring.evaluation.evaluation_pass import run_pass
from monitoring.settings import Settings

NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)
START = NOW - timedelta(hours=2)
SETTINGS = Settings(
    database_user="evaluation",
    database_passfile=Path("/unused"),
    evaluation_window=10 * MINUTE,
    evaluation_horizon=30 * MINUTE,
)


@pytest.fixture
def owner(conninfo):
    with psycopg.connect(conninfo("marquee"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def evaluation(conninfo):
    with psycopg.connect(conninfo("evaluation"), autocommit=True) as connection:
        yield connection


def answer(owner, minute, user, movies, version="v1"):
    owner.execute(
        "INSERT INTO receipt VALUES (%s, %s, %s, %s, %s, 'blue', 0, 'control', 'model', 1)",
        (uuid.uuid4(), START + minute * MINUTE, user, movies, version),
    )


def watch(owner, minute, user, movie):
    owner.execute(
        "INSERT INTO watch VALUES (%s, %s, %s, 1, 0, 0)", (START + minute * MINUTE, user, movie)
    )


def rate(owner, minute, user, movie, stars):
    owner.execute(
        "INSERT INTO rating VALUES (%s, %s, %s, %s, 0, 0)",
        (START + minute * MINUTE, user, movie, stars),
    )


def land(owner, minute, partition=0, landed_at=NOW):
    """The last line of a partition, of a user nobody recommended anything to."""
    owner.execute(
        "INSERT INTO watch VALUES (%s, -1, 'other', 1, %s, 999)",
        (START + minute * MINUTE, partition),
    )
    owner.execute(
        "INSERT INTO stream_offset VALUES ('log', %s, 0, 1000, %s)", (partition, landed_at)
    )


def judge(evaluation, settings=SETTINGS, now=NOW):
    return run_pass(evaluation, settings, now, lambda: False)


def written(owner, version="v1"):
    return dict(
        owner.execute(
            "SELECT metric, value FROM online_metric WHERE model_version = %s", (version,)
        ).fetchall()
    )


def watermark(owner):
    return owner.execute("SELECT held_from FROM retention_lease").fetchone()[0]


def test_an_answer_counts_for_what_its_user_watched_and_rated_of_it_within_the_horizon(
    owner, evaluation
):
    answer(owner, 0, 1, ["a", "b"])
    answer(owner, 5, 2, ["a", "b"])
    watch(owner, 10, 1, "a")
    watch(owner, 11, 1, "a")
    rate(owner, 12, 1, "b", 4)
    land(owner, 40)
    judge(evaluation)
    assert written(owner) == {
        "answers": 2,
        "hit_rate": 0.5,
        "minutes_per_answer": 1,
        "rating_mean": 4,
    }


@pytest.mark.parametrize(
    ("minute", "user", "movie"),
    [(0, 1, "a"), (31, 1, "a"), (10, 2, "a"), (10, 1, "c")],
    ids=["before the answer", "after the horizon", "another user", "not recommended"],
)
def test_watching_that_did_not_follow_an_answer_does_not_count(
    owner, evaluation, minute, user, movie
):
    answer(owner, 0, 3, ["z"])
    answer(owner, 1, 1, ["a", "b"], "judged")
    watch(owner, minute, user, movie)
    land(owner, 45)
    judge(evaluation)
    assert written(owner, "judged")["hit_rate"] == 0


def test_no_rating_gives_no_rating_figure(owner, evaluation):
    answer(owner, 0, 1, ["a"])
    land(owner, 40)
    judge(evaluation)
    assert "rating_mean" not in written(owner)


def test_model_versions_are_judged_apart(owner, evaluation):
    answer(owner, 0, 1, ["a"], "v1")
    answer(owner, 1, 2, ["a"], "v2")
    watch(owner, 2, 2, "a")
    land(owner, 40)
    judge(evaluation)
    assert (written(owner, "v1")["hit_rate"], written(owner, "v2")["hit_rate"]) == (0, 1)


def test_a_window_waits_until_the_stream_has_landed_past_its_horizon(owner, evaluation):
    answer(owner, 0, 1, ["a"])
    land(owner, 39)
    judge(evaluation)
    assert written(owner) == {}
    assert watermark(owner) == START


def test_a_window_waits_for_the_slowest_partition(owner, evaluation):
    answer(owner, 0, 1, ["a"])
    land(owner, 60, partition=0)
    land(owner, 20, partition=1)
    judge(evaluation)
    assert written(owner) == {}


def test_a_silent_partition_is_not_waited_for(owner, evaluation):
    answer(owner, 0, 1, ["a"])
    land(owner, 60, partition=0)
    land(owner, 20, partition=1, landed_at=NOW - 31 * MINUTE)
    judge(evaluation)
    assert written(owner)["answers"] == 1


def test_the_watermark_moves_past_what_was_judged(owner, evaluation):
    answer(owner, 0, 1, ["a"])
    land(owner, 40)
    judge(evaluation)
    assert watermark(owner) == START + 10 * MINUTE


def test_a_pass_catches_up_over_empty_windows(owner, evaluation):
    answer(owner, 0, 1, ["a"])
    answer(owner, 55, 1, ["a"])
    land(owner, 100)
    done = judge(evaluation)
    assert [j.window.start for j in done.judgements] == [START, START + 50 * MINUTE]
    assert done.watermark == START + 70 * MINUTE


def test_the_first_pass_without_an_answer_holds_from_now(owner, evaluation):
    judge(evaluation)
    assert watermark(owner) == NOW


def test_judging_a_window_again_replaces_its_figures(owner, evaluation):
    answer(owner, 0, 1, ["a"])
    land(owner, 40)
    judge(evaluation)
    owner.execute("UPDATE retention_lease SET held_from = %s", (START,))
    answer(owner, 1, 2, ["a"])
    judge(evaluation)
    assert written(owner)["answers"] == 2


def test_a_pass_that_fails_to_move_the_watermark_writes_no_figure(owner, evaluation):
    answer(owner, 0, 1, ["a"])
    land(owner, 40)
    owner.execute("ALTER TABLE retention_lease ADD CHECK (held_from < now() - interval '115 min')")
    with pytest.raises(psycopg.errors.CheckViolation):
        judge(evaluation)
    assert written(owner) == {}


def test_two_passes_at_once_judge_each_window_once(owner, evaluation, conninfo):
    answer(owner, 0, 1, ["a"])
    land(owner, 40)
    judge(evaluation)
    with psycopg.connect(conninfo("evaluation"), autocommit=True) as second:
        assert judge(second).judgements == []


def test_a_pass_that_is_told_to_stop_begins_no_window(owner, evaluation):
    answer(owner, 0, 1, ["a"])
    land(owner, 40)
    assert run_pass(evaluation, SETTINGS, NOW, lambda: True).judgements == []

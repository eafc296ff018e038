"""The gate tests itself: a release of shuffled movies is stopped by people, an equal one is not."""

import os
from datetime import timedelta

import psycopg
import pytest

from ci.errors import AbortedError
from ci.release import records
from tests.integration import town as towns
from tests.integration.town import LIVE, MOVIES

ROUNDS = range(int(os.environ.get("DRILL_ROUNDS", "1")))
TRIED = "20260102-000000-ease"


@pytest.fixture(params=ROUNDS)
def town(request, conninfo, tmp_path):
    with towns.town(
        tmp_path,
        conninfo,
        people=600,
        seed=request.param,
        release_steps=(500, 1000),
        release_judge_share=500,
        release_watch_seconds=0.2,
        release_replay_requests=0,  # people alone are to tell
        evaluation_horizon=timedelta(seconds=1),
    ) as town:
        yield town


def test_a_version_with_its_movies_shuffled_is_stopped_without_a_person(town, conninfo):
    """It answers as fast and as personally as the live one; only people can tell."""
    town.train_shuffled(TRIED)
    with town.lived_in(), pytest.raises(AbortedError, match="the gate says stop"):
        town.release(TRIED, release_patience=timedelta(minutes=4))
    with psycopg.connect(conninfo("analyst")) as connection:
        assert records.deployed(connection).live.version == LIVE
        verdict, words = connection.execute(
            "SELECT verdict, reason FROM experiment_verdict"
        ).fetchone() or ("", "")
    assert verdict == "worse"
    assert words.startswith("people are worse off with the challenger: between -")


def test_a_version_that_is_equal_is_not_stopped(town, conninfo):
    town.train(TRIED, list(MOVIES))
    with town.lived_in():
        town.release(TRIED, release_patience=timedelta(seconds=8))
    with psycopg.connect(conninfo("analyst")) as connection:
        assert records.deployed(connection).live.version == TRIED

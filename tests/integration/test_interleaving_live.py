"""A town whose people get interleaved lists: real slots, Nginx, PostgreSQL; the right verdict."""

import json
from datetime import timedelta

import psycopg
import pytest

from ci.experiment.run import Wanted, start, stop
from ci.release import experiments
from ci.release.environment import Environment
from ci.release.slots import slot_client
from tests.integration import town as towns
from tests.integration.serving import get
from tests.waiting import eventually

TRIED = "20260102-000000-ease"


@pytest.fixture
def town(conninfo, tmp_path):
    horizon = timedelta(seconds=5)  # a receipt is stored long before
    with towns.town(tmp_path, conninfo, people=600, evaluation_horizon=horizon) as town:
        yield town


def test_people_who_get_movies_of_both_take_the_better_version_s(town, conninfo):
    """The challenger's movies are shuffled; it ends by itself, and both slots are as before."""
    town.train_shuffled(TRIED)
    with (
        psycopg.connect(conninfo("releaser"), autocommit=True) as releaser,
        psycopg.connect(conninfo("analyst"), autocommit=True) as analyst,
        slot_client() as client,
    ):
        environment = Environment(releaser, client, town.settings, lambda _: None, lambda: None)
        start(environment, Wanted(TRIED, 900, 1, 0.02, 2000, kind="interleaving"))
        with town.lived_in():
            eventually(lambda: why_to_end(releaser), seconds=240)
        stop(environment, why_to_end(releaser) or "")
        verdict, low, high, people, why = analyst.execute(
            "SELECT verdict, low, high, people, end_reason FROM experiment_verdict"
        ).fetchone() or ("", 0, 0, 0, "")
        assert verdict == "worse"
        assert why.startswith("worse: people are worse off with the challenger: between -")
        assert -1 <= low <= high < 0
        assert 50 <= people <= 600
        for port in town.settings.ports.values():
            eventually(lambda port=port: interleaved_with(port) is None)


def why_to_end(connection):
    runs = experiments.running(connection)
    return experiments.why_to_end(connection, runs.experiment_id) if runs else None


def interleaved_with(port):
    return json.loads(get(port, "/readyz")[1])["interleaved_with"]

"""Real slots of an experiment behind a real Nginx: it goes on, until one of them is a new one."""

import psycopg
import pytest

from ci.experiment.ends import due, watched
from ci.experiment.run import Wanted, start, stop
from ci.release.environment import Environment
from ci.release.slots import slot_client
from ci.slots.state import sent_to_green
from tests.integration import town as towns
from tests.integration.serving import get
from tests.waiting import eventually

TRIED = "20260102-000000-ease"


@pytest.fixture
def town(conninfo, tmp_path):
    with towns.town(tmp_path, conninfo, people=20) as town:
        yield town


def versions(slot):
    """What it says that it holds; nothing while nobody listens."""
    said = slot.readiness()
    return said.get("model_version"), said.get("interleaved_with")


@pytest.mark.parametrize("kind", ["ab", "interleaving"])
def test_an_experiment_goes_on_until_a_slot_of_it_was_killed_and_is_back(town, conninfo, kind):
    town.train(TRIED, list(towns.MOVIES))
    with (
        psycopg.connect(conninfo("releaser"), autocommit=True) as releaser,
        slot_client() as client,
    ):
        environment = Environment(releaser, client, town.settings, lambda _: None, lambda: None)
        start(environment, Wanted(TRIED, 500, 1, 0.02, 2000, kind=kind))
        watch = watched(releaser, None)
        assert watch

        def ending():
            return due(releaser, town.settings, client, watch)

        for _ in range(3):
            assert {get(town.door, f"/recommend/{user}")[0] for user in range(1, 21)} == {200}
            assert ending() is None
        (green,) = [slot for slot in town.slots.running if slot.name == "green"]
        held = versions(green)
        green.kill()
        again = town.slots.start("green", port=green.port)
        eventually(lambda: versions(again) == held, 60, "the slot is back as it was")
        over = ending()
        assert over
        assert over.reason.startswith("green was started anew at ")
        stop(environment, over.reason, over.harm)
    assert sent_to_green(town.settings.state_directory) == frozenset()
    status, body = get(town.door, "/recommend/1")
    assert (status, len(body.split(","))) == (200, 20)

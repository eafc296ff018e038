"""An experiment that its slots end: played slots, a real database and volume, nobody at hand."""

import time

import pytest

from ci.experiment.ends import due, watched
from ci.experiment.run import Wanted, start, stop
from ci.experiment.watch import MISSED_LOOKS, RECENT_LOOKS
from ci.release import experiments
from ci.release.rollout import release
from ci.slots.state import Slot, sent_to_green
from compose.service.assignment import assigned_version, assignment_file
from tests.integration.releasing import V1, V2, V3, PlayedSlot

KINDS = ["ab", "interleaving"]


@pytest.fixture
def tried(stage):
    """V2 is live in green, and blue keeps V1."""
    release(stage.environment, V1)
    release(stage.environment, V2)
    return stage


def begin(tried, kind="ab", challenger=V3):
    start(tried.environment, Wanted(challenger, 300, 14, 0.02, 2000, "bolder", kind))


@pytest.fixture
def looking(tried):
    """Looks so often as the releaser does by itself, and ends what is to end: how, if so."""
    environment, watch = tried.environment, None

    def look(looks):
        nonlocal watch
        for _ in range(looks):
            watch = watched(environment.connection, watch)
            if watch is None:
                break
            ending = due(environment.connection, environment.settings, environment.client, watch)
            if ending:
                stop(environment, ending.reason, ending.harm)
        return tried.owner.execute("SELECT end_reason FROM experiment").fetchone()[0]

    return look


def verdict(tried):
    return tried.owner.execute("SELECT verdict, reason, people FROM experiment_verdict").fetchone()


@pytest.mark.parametrize("kind", KINDS)
def test_an_experiment_goes_on_while_its_slots_are_well(tried, looking, kind):
    begin(tried, kind)
    assert looking(MISSED_LOOKS + 2) is None
    assert experiments.running(tried.owner) is not None


def test_a_challenger_whose_slot_answers_with_errors_is_stopped_though_nobody_notices(
    tried, looking
):
    """Nginx asks the other slot again, so callers see good answers only."""
    begin(tried)
    assert looking(2) is None
    tried.slots["blue"].failing.add(V3)
    assert looking(3).startswith("stop: too many errors: ")
    assert verdict(tried)[0] == "stop"
    assert verdict(tried)[1].startswith("too many errors: ")
    assert sent_to_green(tried.state) == frozenset(range(1000))
    assert assigned_version(assignment_file(tried.state, Slot.BLUE)) == V1


def test_a_stop_keeps_what_people_had_told_until_then(tried, looking):
    begin(tried)
    tried.owner.execute(
        "INSERT INTO experiment_look SELECT experiment_id, now() - interval '1 s',"
        " 'people_watching', 900, 100, 0.3, 0.3, 0, -0.1, 0.1, 'undecided', 'as people did'"
        " FROM experiment"
    )
    tried.slots["blue"].failing.add(V3)
    looking(3)
    figures = tried.owner.execute(
        "SELECT verdict, people, low, value, high FROM experiment_verdict"
    )
    assert figures.fetchone() == ("stop", 1000, -0.1, 0.0, 0.1)


def test_a_live_version_that_fails_as_often_is_no_fault_of_the_challenger(tried, looking):
    begin(tried)
    tried.slots["blue"].failing.add(V3)
    tried.slots["green"].failing.add(V2)
    assert looking(5) is None


def test_errors_after_many_good_answers_are_found_in_the_stretch_in_which_they_come(tried, looking):
    """A ten-thousandth of all its answers, and all of the newest."""
    begin(tried)
    assert looking(1) is None
    tried.slots["blue"].requests += 1_000_000
    assert looking(RECENT_LOOKS) is None
    tried.slots["blue"].failing.add(V3)
    assert looking(10).startswith("stop: too many errors")


@pytest.mark.parametrize("slot", ["blue", "green"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_slot_that_was_started_anew_ends_the_experiment_at_once(tried, looking, kind, slot):
    begin(tried, kind)
    tried.slots[slot].started_at = time.time()
    assert looking(1).startswith(f"{slot} was started anew at ")
    assert sent_to_green(tried.state) == frozenset(range(1000))
    assert assigned_version(assignment_file(tried.state, Slot.BLUE)) == V1


@pytest.mark.parametrize("slot", ["blue", "green"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_slot_that_answers_no_more_ends_the_experiment_after_some_looks(
    tried, looking, kind, slot
):
    begin(tried, kind)
    tried.slots[slot].refuses |= {V2, V3}
    assert looking(MISSED_LOOKS - 1) is None
    tried.slots[slot].refuses.clear()
    assert looking(MISSED_LOOKS - 1) is None
    tried.slots[slot].refuses |= {V2, V3}
    reason = looking(MISSED_LOOKS)
    assert (
        reason == f"{slot}: it says it is not ready, and an experiment does not outlive its slots"
    )


@pytest.mark.parametrize("slot", ["blue", "green"])
def test_a_slot_that_answers_with_another_version_ends_the_experiment(
    tried, looking, slot, monkeypatch
):
    begin(tried)
    told = PlayedSlot.version
    strays = tried.slots[slot]
    monkeypatch.setattr(
        PlayedSlot, "version", lambda played: V1 if played is strays else told(played)
    )
    assert looking(MISSED_LOOKS).startswith(f"{slot}: it runs {V1}, and ")


def test_a_slot_whose_metrics_cannot_be_read_ends_the_experiment(tried, looking, monkeypatch):
    """Nothing would tell what the challenger's answers do."""
    begin(tried)
    monkeypatch.setattr(PlayedSlot, "metrics", lambda _: (500, "out of order"))
    assert looking(MISSED_LOOKS - 1) is None
    assert looking(1).startswith("blue: its metrics cannot be read, and ")


def test_while_a_release_is_asked_for_its_own_watch_is_the_only_one(tried):
    begin(tried)
    tried.owner.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('release',"
        " 'release', '{}')"
    )
    assert watched(tried.environment.connection, None) is None

"""Experiments on played slots with a real database and volume: begun, grown, ended, resumed."""

import json
from datetime import UTC, datetime

import pytest

from ci.errors import AbortedError, RefusedError
from ci.experiment.run import Wanted, resume, start, stop
from ci.release import experiments
from ci.release.rollout import release, rollback
from ci.slots.state import Slot, send_to_green, sent_to_green
from compose.service.assignment import (
    Assignment,
    Interleaved,
    assign,
    assigned_version,
    assignment_file,
    read_assignment,
)
from monitoring.experiments.assignment import challenger_buckets
from tests.integration.releasing import V1, V2, V3

NAME = "bolder"


@pytest.fixture
def tried(stage):
    """V2 is live in green, and blue keeps V1."""
    release(stage.environment, V1)
    release(stage.environment, V2)
    return stage


def wanted(challenger=V3, share=300, largest_sample=2000, kind="ab"):
    return Wanted(challenger, share, 14, 0.02, largest_sample, NAME, kind)


def interleaved(share=300):
    return wanted(share=share, kind="interleaving")


def told(tried):
    """What both slots are told."""
    return [read_assignment(assignment_file(tried.state, slot)) for slot in Slot]


def look(tried, verdict, people):
    tried.owner.execute(
        "INSERT INTO experiment_look SELECT experiment_id, now(), 'people_watching', %s, 0, 0.3,"
        " 0.3, 0, -0.1, 0.1, %s, 'as people did' FROM experiment",
        (people, verdict),
    )


def held(tried, slot):
    return assigned_version(assignment_file(tried.state, slot))


def all_but(buckets):
    return frozenset(range(1000)) - buckets


def test_the_challenger_gets_the_drawn_buckets_and_the_draw_is_recorded(tried):
    start(tried.environment, wanted())
    drawn = challenger_buckets(NAME, 14, 300)
    assert held(tried, Slot.BLUE) == V3
    assert sent_to_green(tried.state) == all_but(drawn)
    assert tried.owner.execute(
        "SELECT control, challenger, challenger_slot, salt, seed, share, buckets"
        " FROM experiment JOIN experiment_stratum USING (experiment_id)"
    ).fetchall() == [(V2, V3, "blue", NAME, 14, 300, sorted(drawn))]


def test_an_a_a_test_is_an_experiment_like_any_other(tried):
    start(tried.environment, wanted(V2))
    assert (held(tried, Slot.BLUE), held(tried, Slot.GREEN)) == (V2, V2)
    assert sent_to_green(tried.state) == all_but(challenger_buckets(NAME, 14, 300))


def test_a_change_of_share_begins_a_stratum_and_keeps_who_is_there(tried):
    start(tried.environment, wanted())
    start(tried.environment, wanted(share=600))
    strata = tried.owner.execute(
        "SELECT stratum, share, buckets FROM experiment_stratum ORDER BY stratum"
    ).fetchall()
    assert [(stratum, share) for stratum, share, _ in strata] == [(1, 300), (2, 600)]
    assert set(strata[0][2]) < set(strata[1][2])
    assert sent_to_green(tried.state) == all_but(frozenset(strata[1][2]))


def test_a_stop_gives_everybody_the_live_version_and_the_slot_its_own_again(tried):
    start(tried.environment, wanted())
    stop(tried.environment, "enough")
    assert sent_to_green(tried.state) == frozenset(range(1000))
    assert (held(tried, Slot.BLUE), held(tried, Slot.GREEN)) == (V1, V2)
    assert tried.owner.execute("SELECT end_reason FROM experiment").fetchone() == ("enough",)
    with pytest.raises(RefusedError, match="no experiment runs"):
        stop(tried.environment, "enough")


def test_only_one_experiment_runs_at_a_time(tried):
    start(tried.environment, wanted())
    with pytest.raises(RefusedError, match=f"the experiment {NAME} runs; make experiment-stop"):
        start(tried.environment, wanted(V1))


def test_without_a_live_version_there_is_nothing_to_compare_with(stage):
    with pytest.raises(RefusedError, match="nothing is live yet"):
        start(stage.environment, wanted())


def test_a_challenger_that_its_slot_refuses_is_tried_on_nobody(tried):
    tried.slots["blue"].damaged.add(V3)
    with pytest.raises(AbortedError, match="damaged, unfit or newer"):
        start(tried.environment, wanted())
    assert experiments.running(tried.environment.connection) is None
    assert held(tried, Slot.BLUE) == V1
    assert sent_to_green(tried.state) == frozenset(range(1000))


def test_a_release_ends_the_experiment_first(tried):
    start(tried.environment, wanted())
    release(tried.environment, V3)
    assert f"experiment {NAME} was ended" in tried.said
    assert experiments.running(tried.environment.connection) is None
    assert sent_to_green(tried.state) == frozenset()


@pytest.mark.parametrize(
    ("verdict", "people", "ends"),
    [
        ("better", 500, True),
        ("worse", 500, True),
        ("stop", 500, True),
        ("undecided", 500, False),
        ("undecided", 2000, True),
        ("wait", 500, False),
    ],
)
def test_it_ends_when_it_is_decided_or_has_had_its_people(tried, verdict, people, ends):
    start(tried.environment, wanted())
    connection = tried.environment.connection
    runs = experiments.running(connection)
    assert experiments.why_to_end(connection, runs.experiment_id) is None
    look(tried, verdict, people)
    assert bool(experiments.why_to_end(connection, runs.experiment_id)) is ends


def test_what_a_dead_releaser_left_of_an_experiment_is_put_right(tried):
    start(tried.environment, wanted())
    split = sent_to_green(tried.state)
    send_to_green(tried.state, frozenset())
    resume(tried.environment.connection, tried.environment.settings)
    assert sent_to_green(tried.state) == split


def test_a_challenger_whose_experiment_was_never_begun_leaves_the_slot(tried):
    assign(assignment_file(tried.state, Slot.BLUE), V3, datetime.now(UTC))
    resume(tried.environment.connection, tried.environment.settings)
    assert held(tried, Slot.BLUE) == V1


def test_interleaving_gives_both_slots_both_versions_and_sends_nobody_elsewhere(tried):
    start(tried.environment, interleaved())
    drawn = challenger_buckets(NAME, 14, 300)
    assert told(tried) == [Assignment(V2, Interleaved(V3, drawn))] * 2
    assert sent_to_green(tried.state) == frozenset(range(1000))
    assert tried.owner.execute(
        "SELECT kind, control, challenger, challenger_slot, share, buckets"
        " FROM experiment JOIN experiment_stratum USING (experiment_id)"
    ).fetchall() == [("interleaving", V2, V3, "both", 300, sorted(drawn))]
    assert "300 of 1000 buckets of people get lists with movies of" in tried.said[-1]


def test_before_slots_hold_both_nobody_gets_a_list_of_both(tried):
    """The slot of the live version finds the challenger damaged: people never meet it."""
    tried.slots["green"].damaged.add(V3)
    with pytest.raises(AbortedError, match=f"green is not ready with {V2} and {V3}: it found"):
        start(tried.environment, interleaved())
    assert experiments.running(tried.environment.connection) is None
    assert told(tried) == [Assignment(V1), Assignment(V2)]


def test_a_slot_whose_code_knows_no_interleaving_is_waited_for_and_then_it_is_given_up(
    tried, monkeypatch
):
    monkeypatch.setattr(
        "tests.integration.releasing.PlayedSlot.readyz",
        lambda slot: (200, json.dumps({"model_version": slot.version(), "ready": True})),
    )
    with pytest.raises(AbortedError, match=f"it does not hold {V3} beside its own"):
        start(tried.environment, interleaved())
    assert told(tried) == [Assignment(V1), Assignment(V2)]


def test_a_version_is_not_interleaved_with_itself(tried):
    with pytest.raises(RefusedError, match="an A/A test is KIND=ab"):
        start(tried.environment, wanted(V2, kind="interleaving"))
    assert told(tried) == [Assignment(V1), Assignment(V2)]


def test_another_share_of_interleaving_reaches_both_slots(tried):
    start(tried.environment, interleaved())
    start(tried.environment, interleaved(share=600))
    drawn = challenger_buckets(NAME, 14, 600)
    assert told(tried) == [Assignment(V2, Interleaved(V3, drawn))] * 2
    with pytest.raises(RefusedError, match="make experiment-stop ends it"):
        start(tried.environment, wanted(kind="ab"))


def test_stop_ends_interleaving_in_both_slots(tried):
    start(tried.environment, interleaved())
    stop(tried.environment, "enough")
    assert told(tried) == [Assignment(V1), Assignment(V2)]


def test_a_release_ends_interleaving_in_both_slots(tried):
    start(tried.environment, interleaved())
    release(tried.environment, V3)
    assert f"experiment {NAME} was ended" in tried.said
    assert told(tried) == [Assignment(V3), Assignment(V2)]


def test_a_rollback_ends_interleaving_in_both_slots(tried):
    """With nothing to go back to after it, the slot that was left gets the same version."""
    start(tried.environment, interleaved())
    rollback(tried.environment)
    assert told(tried) == [Assignment(V1), Assignment(V1)]
    assert sent_to_green(tried.state) == frozenset()


def test_what_a_dead_releaser_left_of_interleaving_is_put_right(tried):
    start(tried.environment, interleaved())
    before = told(tried)
    assign(assignment_file(tried.state, Slot.GREEN), V2, datetime.now(UTC))
    resume(tried.environment.connection, tried.environment.settings)
    assert told(tried) == before


@pytest.mark.parametrize("slot", list(Slot))
def test_interleaving_that_was_never_begun_leaves_either_slot(tried, slot):
    beside = Interleaved(V3, frozenset())
    assign(assignment_file(tried.state, slot), V2, datetime.now(UTC), beside)
    resume(tried.environment.connection, tried.environment.settings)
    assert told(tried) == [Assignment(V1), Assignment(V2)]

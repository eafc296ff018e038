"""Experiments on played slots with a real database and volume: begun, grown, ended, resumed."""

from datetime import UTC, datetime

import pytest

from ci.errors import AbortedError, RefusedError
from ci.experiment.ends import due
from ci.experiment.run import Wanted, resume, start, stop
from ci.release import experiments
from ci.release.rollout import release
from ci.slots.state import Slot, send_to_green, sent_to_green
from compose.service.assignment import assign, assigned_version, assignment_file
from monitoring.experiments.assignment import challenger_buckets
from tests.integration.releasing import V1, V2, V3

NAME = "bolder"


@pytest.fixture
def tried(stage):
    """V2 is live in green, and blue keeps V1."""
    release(stage.environment, V1)
    release(stage.environment, V2)
    return stage


def wanted(challenger=V3, share=300, largest_sample=2000):
    return Wanted(challenger, share, 14, 0.02, largest_sample, NAME)


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
    assert due(tried.environment.connection) is None
    look(tried, verdict, people)
    assert bool(due(tried.environment.connection)) is ends


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

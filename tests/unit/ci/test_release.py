import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.release.plan import (
    AwaitReady,
    Bounds,
    DeploymentState,
    Judge,
    Observed,
    Place,
    Placement,
    Promote,
    Readiness,
    ReleaseVerdict,
    Replay,
    Shift,
    Watch,
    finding_of,
    plan,
    target_of,
)
from ci.slots.state import Slot
from ci.slots.traffic import Traffic

LIVE = Placement(Slot.BLUE, "v1")
BOUNDS = Bounds(error_share=0.01, p99_seconds=0.3)


def answers(requests: int, errors: int = 0, seconds: float = 0.01) -> Traffic:
    return Traffic(requests, errors, {seconds: requests, float("inf"): requests})


def test_the_first_release_goes_to_both_slots_at_once():
    blue, green = Placement(Slot.BLUE, "v1"), Placement(Slot.GREEN, "v1")
    assert plan("v1", DeploymentState(), (10, 1000)) == (
        Place(blue),
        Place(green),
        AwaitReady(blue),
        AwaitReady(green),
        Shift(1000),
        Promote(),
    )


def test_a_release_goes_to_the_slot_without_traffic_and_watches_every_share():
    green = Placement(Slot.GREEN, "v2")
    assert plan("v2", DeploymentState(LIVE), (10, 1000)) == (
        Place(green),
        AwaitReady(green),
        Replay(),
        Shift(10),
        Watch(10),
        Shift(1000),
        Watch(1000),
        Promote(),
    )


def test_people_judge_at_one_share_that_need_not_be_a_step():
    green = Placement(Slot.GREEN, "v2")
    assert plan("v2", DeploymentState(LIVE), (10, 1000), judge_share=100) == (
        Place(green),
        AwaitReady(green),
        Replay(),
        Shift(10),
        Watch(10),
        Shift(100),
        Watch(100),
        Judge(100),
        Shift(1000),
        Watch(1000),
        Promote(),
    )


@given(shares=st.sets(st.integers(1, 999)), live_slot=st.sampled_from(Slot))
def test_traffic_moves_only_after_ready_and_ends_only_after_a_watch(shares, live_slot):
    steps = plan("v2", DeploymentState(Placement(live_slot, "v1")), (*sorted(shares), 1000))
    kinds = [type(step) for step in steps]
    assert kinds.index(AwaitReady) < kinds.index(Shift)
    assert kinds[-3:] == [Shift, Watch, Promote]
    assert target_of("v2", DeploymentState(Placement(live_slot, "v1"))).slot is live_slot.other


def test_the_slot_without_traffic_keeps_the_previous_version():
    previous = Placement(Slot.GREEN, "v0")
    assert DeploymentState(LIVE, previous).standby == previous


def test_without_a_previous_version_both_slots_hold_the_live_one():
    assert DeploymentState(LIVE).standby == Placement(Slot.GREEN, "v1")


def test_before_the_first_release_there_is_no_reserve():
    assert DeploymentState().standby is None


@pytest.mark.parametrize(
    ("readiness", "missing"),
    [
        (Readiness(ready=True, version="v2"), None),
        (Readiness(ready=True, version="v1"), "it runs v1"),
        (Readiness(ready=False, version="v2"), "it says it is not ready"),
        (Readiness(ready=False, why_not="it does not answer"), "it does not answer"),
    ],
)
def test_a_slot_is_ready_only_with_the_version_it_was_given(readiness, missing):
    assert readiness.missing("v2") == missing


def seen(slot, traffic):
    """All that a slot counted was since the release began."""
    return Observed(slot, traffic, traffic or Traffic())


@pytest.mark.parametrize(
    ("new", "old", "verdict"),
    [
        (answers(0), answers(500), ReleaseVerdict.WAIT),
        (None, answers(500), ReleaseVerdict.WAIT),
        (answers(100), None, ReleaseVerdict.WAIT),
        (answers(1000), answers(1000), ReleaseVerdict.GO),
        (answers(1000, errors=40), answers(1000), ReleaseVerdict.STOP),
        (answers(1000, errors=40), answers(1000, errors=40), ReleaseVerdict.GO),
        (answers(100, errors=1), answers(1000), ReleaseVerdict.GO),
        (answers(1, errors=1), answers(1000), ReleaseVerdict.STOP),
        (answers(1000, seconds=0.5), answers(1000), ReleaseVerdict.STOP),
        (answers(1000, seconds=0.5), answers(1000, seconds=0.4), ReleaseVerdict.GO),
        (answers(1000, seconds=0.2), answers(1000), ReleaseVerdict.GO),
        (answers(20, seconds=0.5), answers(1000), ReleaseVerdict.GO),
        (answers(1000, seconds=0.5), answers(0), ReleaseVerdict.STOP),
    ],
    ids=[
        "no traffic is neither",
        "a new slot that cannot be read is neither",
        "an old slot that cannot be read is neither",
        "as good as before",
        "4 % errors",
        "the old version fails as often",
        "one error of a hundred may be chance",
        "nothing but errors",
        "slow",
        "the old version is as slow",
        "slower, but fast enough",
        "too few for a percentile",
        "slow, with nothing to compare",
    ],
)
def test_a_version_is_judged_by_errors_and_latency_against_the_old_one(new, old, verdict):
    assert finding_of(seen(Slot.GREEN, new), seen(Slot.BLUE, old), BOUNDS).verdict is verdict


@pytest.mark.parametrize(
    ("answered_before", "verdict"),
    [(True, ReleaseVerdict.WAIT), (False, ReleaseVerdict.UNJUDGED)],
    ids=["slots that count anew since a reboot", "nobody was ever answered"],
)
def test_only_who_was_never_asked_goes_by_readiness(answered_before, verdict):
    nobody = seen(Slot.GREEN, answers(0)), seen(Slot.BLUE, answers(0))
    assert finding_of(*nobody, BOUNDS, answered_before=answered_before).verdict is verdict


def test_the_finding_says_what_was_seen():
    new, old = seen(Slot.GREEN, answers(200, errors=100)), seen(Slot.BLUE, answers(1000))
    words = finding_of(new, old, BOUNDS).words
    assert words == (
        "too many errors: 200 requests, 100 failed, p99 10 ms"
        " against 1000 requests, 0 failed, p99 10 ms before"
    )


@pytest.mark.parametrize(
    ("new", "old", "words"),
    [
        (answers(0), answers(500), "no traffic seen on green"),
        (None, answers(500), "the metrics of green cannot be read"),
        (answers(5), None, "the metrics of blue cannot be read"),
    ],
)
def test_what_is_waited_for_is_named(new, old, words):
    assert finding_of(seen(Slot.GREEN, new), seen(Slot.BLUE, old), BOUNDS).words == words

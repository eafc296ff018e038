import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.release.plan import (
    AwaitReady,
    Bounds,
    DeploymentState,
    Place,
    Placement,
    Promote,
    Readiness,
    Shift,
    Watch,
    judge,
    plan,
    target_of,
)
from ci.release.state import Slot
from ci.release.traffic import Traffic

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
        Shift(10),
        Watch(10),
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


@pytest.mark.parametrize(
    ("new", "old", "passed"),
    [
        (answers(0), answers(500), None),
        (answers(1000), answers(1000), True),
        (answers(1000, errors=40), answers(1000), False),
        (answers(1000, errors=40), answers(1000, errors=40), True),
        (answers(100, errors=1), answers(1000), True),
        (answers(1, errors=1), answers(1000), False),
        (answers(1000, seconds=0.5), answers(1000), False),
        (answers(1000, seconds=0.5), answers(1000, seconds=0.4), True),
        (answers(1000, seconds=0.2), answers(1000), True),
        (answers(20, seconds=0.5), answers(1000), True),
        (answers(1000, seconds=0.5), answers(0), False),
    ],
    ids=[
        "no traffic is neither",
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
def test_a_version_is_judged_by_errors_and_latency_against_the_old_one(new, old, passed):
    assert judge(new, old, BOUNDS).passed is passed


def test_the_finding_says_what_was_seen():
    words = judge(answers(200, errors=100), answers(1000), BOUNDS).words
    assert words == (
        "too many errors: 200 requests, 100 failed, p99 10 ms"
        " against 1000 requests, 0 failed, p99 10 ms before"
    )

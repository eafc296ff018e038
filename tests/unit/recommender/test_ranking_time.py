"""Ranking has a share of the time, in all and for each caller."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.answers.ranking_time import (
    AT_ONCE_SECONDS,
    SHARE_OF_A_CALLER,
    SHARE_OF_ALL,
    RankingTime,
)

BEGUN = 100.0


class Clock:
    now = BEGUN

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def time(clock):
    return RankingTime(clock)


def rank(time, clock, caller, seconds):
    """Whether there was room a moment later, and if so, it is spent."""
    clock.now += 0.001
    if not time.has_room(caller):
        return False
    started = clock.now
    clock.now += seconds
    time.spend_since(started, caller)
    return True


def spent_within(time, clock, callers, seconds, each):
    """How much these callers rank within some seconds if they never stop asking."""
    end, spent = clock.now + seconds, 0.0
    while clock.now < end:
        for caller in callers:
            spent += each if rank(time, clock, caller, each) else 0.0
        clock.now += 0.001
    return spent


@given(each=st.floats(0.001, 0.1))
def test_one_caller_never_gets_more_than_its_share(each):
    clock = Clock()
    spent = spent_within(RankingTime(clock), clock, ["10.0.0.1"], 10.0, each)

    assert spent <= SHARE_OF_A_CALLER * (clock.now - BEGUN) + AT_ONCE_SECONDS + each


@given(callers=st.integers(3, 10), each=st.floats(0.001, 0.1))
def test_all_together_never_get_more_than_theirs(callers, each):
    clock = Clock()
    names = [f"10.0.0.{number}" for number in range(callers)]
    spent = spent_within(RankingTime(clock), clock, names, 10.0, each)

    assert spent <= SHARE_OF_ALL * (clock.now - BEGUN) + AT_ONCE_SECONDS + each


def test_one_who_uses_its_share_up_leaves_the_others_theirs(time, clock):
    spent_within(time, clock, ["10.0.0.1"], 5.0, 0.03)

    assert not time.has_room("10.0.0.1")
    assert time.has_room("10.0.0.2")


def test_what_was_spent_is_made_up_for_by_waiting(time, clock):
    while rank(time, clock, "10.0.0.1", 0.03):
        pass
    clock.now += AT_ONCE_SECONDS / SHARE_OF_A_CALLER

    assert time.has_room("10.0.0.1")


def test_a_caller_that_is_not_told_has_no_share_of_its_own(time, clock):
    spent = spent_within(time, clock, [""], 10.0, 0.03)

    assert spent > SHARE_OF_A_CALLER * 10 + AT_ONCE_SECONDS + 0.06


def test_of_ever_new_callers_the_longest_quiet_is_forgotten(time, clock, monkeypatch):
    monkeypatch.setattr("recommender.answers.ranking_time.CALLERS_KEPT", 3)
    monkeypatch.setattr("recommender.answers.ranking_time.SHARE_OF_ALL", 1e9)
    time = RankingTime(clock)
    for number in range(4):
        rank(time, clock, f"10.0.0.{number}", 5.0)

    clock.now += 0.001
    assert [time.has_room(f"10.0.0.{number}") for number in range(4)] == [True, *[False] * 3]

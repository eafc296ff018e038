"""What an experiment says, and that it says no more than it knows."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.experiments.confidence import interval, standard_errors
from monitoring.experiments.estimates import Estimate
from monitoring.experiments.verdict import Plan, Word, judge, people_to_decide

PLAN = Plan(people=20_000, margin=0.03)


def lift(value, error, people=10_000):
    return Estimate(value, error**2, people)


def test_an_interval_above_nothing_is_better():
    verdict = judge(lift(0.10, 0.02), PLAN)
    assert verdict.word is Word.BETTER
    assert "+10" not in verdict.reason
    assert f"between {verdict.interval.low:+.1%} and {verdict.interval.high:+.1%}" in verdict.reason
    assert "10,000 people" in verdict.reason


def test_an_interval_below_nothing_is_worse():
    assert judge(lift(-0.10, 0.02), PLAN).word is Word.WORSE


def test_an_interval_within_the_margin_is_no_difference():
    verdict = judge(lift(0.001, 0.005), PLAN)
    assert verdict.word is Word.NO_DIFFERENCE
    assert "3.0%" in verdict.reason


def test_a_wide_interval_is_undecided_and_says_what_would_decide():
    verdict = judge(lift(0.05, 0.02), PLAN)
    needed = people_to_decide(lift(0.05, 0.02), PLAN)
    assert verdict.word is Word.UNDECIDED
    assert f"some {needed:,} people would decide if it stays as it is" in verdict.reason


def test_what_needs_more_than_was_planned_says_so():
    assert "more than the planned 20,000" in judge(lift(0.001, 0.05), PLAN).reason


def test_at_the_planned_people_undecided_stays_undecided():
    verdict = judge(lift(0.02, 0.01, people=20_000), PLAN)
    assert verdict.word is Word.UNDECIDED
    assert "the planned 20,000 people are reached" in verdict.reason


def test_no_data_is_no_verdict():
    verdict = judge(None, PLAN)
    assert (verdict.word, verdict.interval) == (Word.WAIT, None)


def test_harm_stops_what_people_like():
    verdict = judge(lift(0.10, 0.02), PLAN, harm="too many errors", mismatch="lopsided")
    assert (verdict.word, verdict.reason) == (Word.STOP, "too many errors")


def test_after_a_mismatch_no_difference_means_anything():
    verdict = judge(lift(0.10, 0.02), PLAN, mismatch="lopsided")
    assert (verdict.word, verdict.reason) == (Word.WAIT, "lopsided")


def test_harm_is_seen_before_anybody_has_ended_their_time():
    assert judge(None, PLAN, harm="too slow").word is Word.STOP


@pytest.mark.parametrize("word", Word)
def test_only_what_more_people_may_change_is_open(word):
    assert word.decides is (word not in (Word.UNDECIDED, Word.WAIT))


@given(st.floats(-0.5, 0.5), st.floats(0.001, 1.0), st.integers(100, 20_000))
def test_a_word_never_says_more_than_its_interval(value, error, people):
    verdict = judge(lift(value, error, people), PLAN)
    low, high = verdict.interval.low, verdict.interval.high
    assert (verdict.word is Word.BETTER) == (low > 0)
    assert (verdict.word is Word.WORSE) == (high < 0)
    if verdict.word is Word.NO_DIFFERENCE:
        assert -PLAN.margin < low <= 0 <= high < PLAN.margin


@given(st.floats(-0.5, 0.5), st.floats(0.01, 0.5), st.integers(100, 20_000))
def test_the_people_it_asks_for_would_decide(value, error, people):
    estimate = lift(value, error, people)
    needed = people_to_decide(estimate, PLAN)
    then = Estimate(value, estimate.variance * people / needed, needed)
    assert judge(then, PLAN).word.decides


def test_people_to_decide_are_told_in_two_digits():
    needed = people_to_decide(lift(0.05, 0.02), PLAN)
    assert needed % 10 ** (int(math.log10(needed)) - 1) == 0
    half = standard_errors(needed, PLAN.people, PLAN.alpha) * 0.02 * math.sqrt(10_000 / needed)
    assert 0.9 * 0.05 < half < 0.05
    assert interval(lift(0.05, 0.02), PLAN.people).low < 0

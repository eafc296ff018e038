"""Receipts of one spool that come on both sides of what has closed: who has the credit then."""

import pytest

from monitoring.evaluation.evaluation_pass import run_pass
from monitoring.evaluation.results import too_late
from monitoring.evaluation.windows import Terms
from tests.integration.played_stream import (
    MINUTE,
    NOW,
    Answer,
    PlayedStream,
    Watched,
    at,
    minutes_credited,
)

TERMS = Terms(width=10 * MINUTE, horizon=30 * MINUTE, lateness=60 * MINUTE)
CLOSES_10 = 105
"""A minute by which what was answered before minute 10 can no longer be judged."""


@pytest.fixture
def stream(owner):
    return PlayedStream(owner)


def judge(evaluation, terms=TERMS):
    return run_pass(evaluation, terms, NOW, lambda: False)


def test_an_answer_in_time_has_its_credit_though_one_before_it_came_too_late(
    owner, evaluation, stream
):
    too_old, in_time = Answer(5, 1, ("a",)), Answer(20, 1, ("a",))
    stream.store(Answer(-30, 9, ("z",)))
    stream.land(Watched(25, 1, "a"))
    stream.pass_by(CLOSES_10)
    assert judge(evaluation).closed_until == at(10)
    stream.store(too_old, in_time)
    judge(evaluation)
    assert minutes_credited(owner) == {in_time.id: 1}
    assert too_late(owner)["receipt"] == 1


def test_so_it_has_when_the_one_that_is_too_late_came_a_pass_before(owner, evaluation, stream):
    too_old, in_time = Answer(5, 1, ("a",)), Answer(20, 1, ("a",))
    stream.store(Answer(-30, 9, ("z",)))
    stream.land(Watched(25, 1, "a"))
    stream.pass_by(CLOSES_10)
    judge(evaluation)
    stream.store(too_old)
    judge(evaluation)
    stream.store(in_time)
    judge(evaluation)
    assert minutes_credited(owner) == {in_time.id: 1}


def test_what_a_closed_answer_has_stays_there(owner, evaluation, stream):
    closed = Answer(0, 1, ("a",))
    stream.store(closed)
    stream.land(Watched(25, 1, "a"))
    stream.pass_by(CLOSES_10)
    judge(evaluation)
    stream.store(Answer(20, 1, ("a",)))
    judge(evaluation)
    assert minutes_credited(owner) == {closed.id: 1}


def test_it_stays_there_though_one_that_is_too_late_came_in_between(owner, evaluation, stream):
    closed = Answer(0, 1, ("a",))
    stream.store(closed)
    stream.land(Watched(25, 1, "a"))
    stream.pass_by(CLOSES_10)
    judge(evaluation)
    stream.store(Answer(5, 1, ("a",)), Answer(20, 1, ("a",)))
    judge(evaluation)
    assert minutes_credited(owner) == {closed.id: 1}


def test_it_stays_there_under_other_terms(owner, evaluation, stream):
    before = Answer(0, 1, ("a",))
    stream.store(before)
    stream.land(Watched(25, 1, "a"))
    stream.pass_by(45)
    assert judge(evaluation).judged_until == at(10)
    other = Terms(width=5 * MINUTE, horizon=40 * MINUTE, lateness=60 * MINUTE)
    assert judge(evaluation, other).closed_until == at(10)
    stream.store(Answer(20, 1, ("a",)))
    judge(evaluation, other)
    assert minutes_credited(owner) == {before.id: 1}


def test_what_no_answer_can_lose_any_more_is_forgotten(owner, evaluation, stream):
    stream.store(Answer(0, 1, ("a",)))
    stream.land(Watched(25, 1, "a"))
    stream.pass_by(CLOSES_10 + 30)
    assert judge(evaluation).closed_until == at(40)
    assert minutes_credited(owner) == {}

"""What people get is looked at at every share, whether or not they are to judge."""

from dataclasses import replace

import pytest

from ci.errors import AbortedError
from ci.release import records
from ci.release.plan import DeploymentState, Placement
from ci.release.quality import Guard
from ci.release.rollout import release
from ci.slots.state import Slot
from tests.integration.releasing import V1, V2

ANSWERED = """
INSERT INTO receipt (receipt_id, time, user_id, movie_ids, model_version, slot, bucket, arm, reason,
                     latency_ms)
SELECT gen_random_uuid(), clock_timestamp(), user_id, %(movies)s::text[], %(version)s, %(slot)s, 1,
       'control', %(reason)s, 1
FROM generate_series(%(first)s::int, %(last)s::int) AS user_id
"""
PEOPLE = 120


@pytest.fixture(autouse=True)
def first_release(stage):
    release(stage.environment, V1)


def answer(stage, *, movies, reason, people=PEOPLE):
    """People are answered by both versions."""
    for version, slot, first, what, why in (
        (V1, "blue", 1, ["a"], "model"),
        (V2, "green", 1001, movies, reason),
    ):
        values = {"version": version, "slot": slot, "movies": what, "reason": why}
        values |= {"first": first}
        stage.owner.execute(ANSWERED, values | {"last": first + people - 1})


def answered_at(stage, share, *, poll=1, **answers):
    """The stage's releaser; at that poll of a share people are answered by both versions."""
    polls = []

    def look_around() -> None:
        if ("shift", share, V1) in stage.steps():
            polls.append(share)
            if len(polls) == poll:
                answer(stage, **answers)

    return replace(stage.environment, stop_reason=look_around)


@pytest.mark.parametrize("share", [10, 500])
@pytest.mark.parametrize(
    ("movies", "reason", "words"),
    [
        ([], "model", "share of answers without a movie: 1 against 0"),
        (["a"], "popular", "share of answers personalised: 0 against 1"),
    ],
    ids=["empty", "less personal"],
)
def test_a_version_whose_answers_are_worse_is_taken_back(stage, share, movies, reason, words):
    environment = answered_at(stage, share, movies=movies, reason=reason)
    with pytest.raises(AbortedError, match=words):
        release(environment, V2)
    assert records.deployed(stage.owner).live == Placement(Slot.BLUE, V1)
    assert stage.steps()[-1] == ("abort", 0, V1)


def test_what_people_get_is_looked_at_once_more_before_the_share_grows(stage):
    environment = answered_at(stage, 10, poll=2, movies=[], reason="model")
    with pytest.raises(AbortedError, match="share of answers without a movie: 1 against 0"):
        release(environment, V2)
    assert ("shift", 500, V1) not in stage.steps()


def test_it_is_looked_at_once_in_two_seconds_and_not_at_every_poll(stage):
    live, target = Placement(Slot.BLUE, V1), Placement(Slot.GREEN, V2)
    guard = Guard(stage.environment.connection, DeploymentState(live), target)
    guard.look_if_due(0.0)
    answer(stage, movies=[], reason="model")
    guard.look_if_due(1.9)
    with pytest.raises(AbortedError, match="share of answers without a movie"):
        guard.look_if_due(2.0)


def test_a_version_whose_answers_are_as_good_goes_live(stage):
    release(answered_at(stage, 10, movies=["a"], reason="fold_in"), V2)
    assert records.deployed(stage.owner).live == Placement(Slot.GREEN, V2)


def test_a_handful_of_people_takes_nothing_back(stage):
    release(answered_at(stage, 10, movies=[], reason="popular", people=20), V2)
    assert records.deployed(stage.owner).live == Placement(Slot.GREEN, V2)

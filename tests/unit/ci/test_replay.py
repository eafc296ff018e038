import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.release.plan import Bounds, ReleaseVerdict
from ci.release.replay import Exchange, ReplayBounds, Reply, judge_replayed

MOVIES = tuple(f"m{number}" for number in range(20))
BOUNDS = ReplayBounds(Bounds(error_share=0.01, p99_seconds=0.3), seen_share=0.01, overlap=0.01)
GOOD = Reply(MOVIES, 0.01)
FAILED = Reply(None, 0.01)


def exchanges(new: Reply, live: Reply = GOOD, seen=frozenset(), number=200):
    return [Exchange(user, new, live, seen) for user in range(number)]


def test_the_same_answers_speak_for_a_version():
    replayed = judge_replayed(exchanges(GOOD), BOUNDS)
    assert replayed.finding.verdict is ReleaseVerdict.GO
    assert replayed.finding.words.endswith("200 requests, 0 failed, p99 10 ms, overlap 1.00")


def test_without_requests_nothing_is_said():
    assert judge_replayed([], BOUNDS).finding.verdict is ReleaseVerdict.UNJUDGED


@pytest.mark.parametrize(
    ("new", "seen", "words"),
    [
        (FAILED, frozenset(), "too many errors"),
        (Reply(MOVIES, 1.0), frozenset(), "too slow"),
        (Reply(MOVIES[:19], 0.01), frozenset(), "200 lists are too short"),
        (Reply((), 0.01), frozenset(), "200 lists are too short"),
        (Reply(("x", *MOVIES[1:]), 0.01), frozenset("x"), "100.0% of the lists offer"),
        (Reply(tuple(f"o{n}" for n in range(20)), 0.01), frozenset(), "only 0.0% of the live"),
    ],
)
def test_each_bound_can_be_broken(new, seen, words):
    finding = judge_replayed(exchanges(new, seen=seen), BOUNDS).finding
    assert finding.verdict is ReleaseVerdict.STOP
    assert words in finding.words


@given(st.sampled_from([FAILED, Reply(MOVIES[:3], 0.01), Reply(MOVIES, 2.0), Reply((), 0.0)]))
def test_what_is_wrong_with_both_versions_is_not_held_against_the_new_one(reply):
    assert judge_replayed(exchanges(reply, reply), BOUNDS).finding.verdict is ReleaseVerdict.GO


def test_one_failure_may_be_chance():
    some = [*exchanges(GOOD), *exchanges(FAILED, number=1)]
    assert judge_replayed(some, BOUNDS).finding.verdict is ReleaseVerdict.GO


def test_the_lists_that_differ_most_are_kept_as_evidence():
    odd = Exchange(999, Reply(tuple(f"o{n}" for n in range(20)), 0.01), GOOD)
    replayed = judge_replayed([*exchanges(GOOD), odd], BOUNDS)
    assert replayed.differing[0] is odd
    assert len(replayed.differing) == 20

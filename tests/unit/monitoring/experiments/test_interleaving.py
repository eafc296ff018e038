"""Whom the movies that people took are credited to."""

import random

import pytest

from monitoring.experiments.confidence import interval
from monitoring.experiments.estimates import ratio
from monitoring.experiments.interleaving import credits_of, preference


def test_a_preference_is_whose_movies_were_taken():
    """30 movies of control's, 90 of the challenger's, by 60 of 100 people."""
    preference = ratio(credits_of([(1, 0)] * 30 + [(0, 3)] * 30 + [(0, 0)] * 40))
    assert preference.value == pytest.approx((90 - 30) / 120)
    assert preference.people == 100


def test_no_movie_taken_is_no_preference():
    assert ratio(credits_of([(0, 0)] * 100)) is None


def test_equal_shares_are_no_preference_and_vary():
    preference = ratio(credits_of([(1, 0), (0, 1)] * 100))
    assert preference.value == 0
    assert preference.variance == pytest.approx(1 / 200, rel=0.01)


def test_a_handful_who_all_took_the_same_version_s_say_nothing():
    """Of them the spread would be none, and the interval a point."""
    assert preference(credits_of([(0, 1)] * 49 + [(0, 0)] * 1000), people_taking=49) is None
    assert preference(credits_of([(0, 1)] * 50 + [(0, 0)] * 1000), people_taking=50).value == 1


def test_of_versions_that_people_take_alike_hardly_ever_one_is_preferred_at_any_look():
    """300 interleavings, one person in ten takes a movie or two: at most 5 % may be wrong."""
    chance = random.Random(0)
    wrong = 0
    for _experiment in range(300):
        people: list[tuple[int, int]] = []
        for _look in range(10):
            people += [taken(chance) for _person in range(100)]
            found = preference(credits_of(people), sum(1 for person in people if any(person)))
            seen = found and interval(found, 1000)
            if seen and not seen.low <= 0 <= seen.high:
                wrong += 1
                break
    assert wrong <= 15


def taken(chance: random.Random) -> tuple[int, int]:
    """What somebody took of control's and of the challenger's."""
    if chance.random() > 0.1:
        return 0, 0
    of_challenger = [chance.random() < 0.5 for _movie in range(chance.choice((1, 2)))]
    return len(of_challenger) - sum(of_challenger), sum(of_challenger)

"""Whom the movies that people took are credited to."""

import pytest

from monitoring.experiments.estimates import ratio
from monitoring.experiments.interleaving import credits_of


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

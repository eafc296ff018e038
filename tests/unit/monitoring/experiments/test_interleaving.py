"""Whom the movies that a person took are credited to."""

import pytest

from monitoring.experiments.estimates import mean
from monitoring.experiments.interleaving import Team, preference, preferences

CONTROL, CHALLENGER = Team


@pytest.mark.parametrize(
    ("credited", "expected"),
    [
        ([], 0.0),
        ([CONTROL], -1.0),
        ([CHALLENGER, CHALLENGER], 1.0),
        ([CHALLENGER, CONTROL], 0.0),
        ([CHALLENGER, CHALLENGER, CONTROL], pytest.approx(1 / 3)),
    ],
)
def test_a_preference_is_whose_movies_were_taken(credited, expected):
    assert preference(credited) == expected


def test_people_who_took_nothing_count():
    found = mean(preferences([1.0] * 30 + [0.0] * 60 + [-1.0] * 10))
    assert found.value == pytest.approx(0.2)
    assert found.people == 100

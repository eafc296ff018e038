"""The benchmark's people do what the simulator's do."""

from random import Random

import numpy as np
import pytest

from compose.simulator.people import choose, population, wants_to_ask
from tests.benchmarks.evaluation_readers import alone, credited, town, visits

PEOPLE = 4000


@pytest.fixture(scope="module")
def home():
    return town()


@pytest.fixture(scope="module")
def lists(home):
    """The most popular movies for everybody, as a list that many know and many like."""
    counts = np.diff(home.tastes.popularity, prepend=0)
    return np.tile(np.argsort(-counts)[:20], (len(home.knows), 1))


def test_they_watch_as_often_what_is_recommended(home, lists):
    """Of 4,000 visits each, at most four standard errors apart."""
    random, people = Random(5), population(home.tastes, home.sent)
    simulated = 0
    for _ in range(PEOPLE):
        person = random.choice(people)
        shown = lists[0].tolist() if wants_to_ask(random) else []
        simulated += choose(person, shown, home.tastes, random) in shown
    tasters = np.random.default_rng(5).integers(len(lists), size=PEOPLE)
    once = np.ones(PEOPLE, np.int64)
    ours = credited(home, tasters, once, alone(lists), seed=5).sum()
    assert abs(ours - simulated) < 4 * np.sqrt(2 * PEOPLE * 0.25)
    assert 0.2 < ours / PEOPLE < 0.6


def test_nobody_watches_the_same_movie_twice_in_a_row(home, lists):
    """Of a list of one movie, each takes it once at most in as many visits as they remember."""
    tasters = np.random.default_rng(6).integers(len(lists), size=500)
    taken = credited(home, tasters, np.full(500, 4), alone(lists[:, :1]), seed=6).sum(axis=1)
    assert taken.max() <= 2  # once because it was recommended, perhaps once more as an own idea
    assert (taken > 0).mean() > 0.05


def test_a_few_people_come_very_often():
    found = np.sort(visits(20_000, np.random.default_rng(7)))
    assert found.min() == 1
    assert found[-2000:].sum() > 0.3 * found.sum()

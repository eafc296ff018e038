from random import Random

import pytest

from compose.simulator.movielens import Rating
from compose.simulator.people import learn_tastes, population
from compose.simulator.town import MOST_NEWCOMERS, Town

SENT = [Rating(user, user % 3, 4.0, user) for user in range(1, 6)]


@pytest.fixture
def tastes():
    return learn_tastes(SENT, [], movies=3)


@pytest.fixture
def town(tastes):
    return Town(population(tastes, SENT), first_new_id=1000)


def test_nobody_is_called_twice_before_they_are_home(town, tastes):
    random = Random(1)
    called = [town.call(tastes, random) for _ in range(50)]
    ids = [one[0].user_id for one in called if one]
    assert len(ids) == len(set(ids))
    assert {1, 2, 3, 4, 5} <= set(ids)


def test_who_came_home_is_called_again(town, tastes):
    random = Random(1)
    for _ in range(100):
        person, _ = town.call(tastes, random)
        town.welcome_home(person)
    assert town.call(tastes, random) is not None


def test_newcomers_come_with_ids_of_their_own_and_are_known_from_then_on(town, tastes):
    random = Random(1)
    called = [one for one in (town.call(tastes, random) for _ in range(500)) if one]
    new = [person.user_id for person, new in called if new]
    assert new == list(range(1000, 1000 + len(new)))
    assert all(user_id in town for user_id in new)


def test_newcomers_who_are_here_longest_move_away_and_the_settled_stay(town, tastes):
    random = Random(1)
    arrived = 0
    while arrived <= MOST_NEWCOMERS:
        called = town.call(tastes, random)
        arrived += bool(called and called[1])
    assert 1000 not in town
    assert 1001 in town
    assert all(user_id in town for user_id in range(1, 6))

"""More people than the rating set has."""

from random import Random

import pytest

from compose.simulator.crowd import MOST_RATINGS, crowd, crowd_ratings
from compose.simulator.movielens import Rating
from compose.simulator.people import choose, learn_tastes, population

SENT = [Rating(user, movie, 4.0, 100 * user + movie) for user in (1, 2, 7) for movie in range(40)]
MOVIES = 40


@pytest.fixture
def tastes():
    return learn_tastes(SENT, [], MOVIES)


def people(tastes, count=203, seed=1):
    return crowd(tastes, crowd_ratings(SENT, count, seed), seed)


def test_there_are_as_many_people_as_were_asked_for(tastes):
    everybody = [*population(tastes, SENT), *people(tastes)]
    assert sorted(person.user_id for person in everybody) == [1, 2, 7, *range(8, 208)]


def test_nobody_is_added_to_a_town_of_the_sets_own_size(tastes):
    assert crowd_ratings(SENT, 3, seed=1) == []
    assert people(tastes, count=3) == []


def test_the_same_seed_gives_the_same_people_and_another_gives_others(tastes):
    assert people(tastes, seed=1) == people(tastes, seed=1)
    assert people(tastes, seed=1) != people(tastes, seed=2)


def test_a_larger_town_has_the_people_of_a_smaller_one(tastes):
    small, large = (
        {person.user_id: person for person in people(tastes, count=count)} for count in (53, 300)
    )
    assert small == {user_id: large[user_id] for user_id in small}


def test_they_know_the_movies_that_their_past_says(tastes):
    ratings = crowd_ratings(SENT, 203, seed=1)
    known = {(rating.user_id, rating.movie) for rating in ratings}
    assert {(one.user_id, movie) for one in people(tastes) for movie in one.seen} == known
    assert len(ratings) == len(known)
    assert max(len(one.seen) for one in people(tastes)) <= MOST_RATINGS
    assert [rating.timestamp for rating in ratings] == sorted(one.timestamp for one in ratings)


def test_a_taste_is_between_those_of_two_users(tastes):
    for person in people(tastes):
        for movie in range(0, MOVIES, 7):
            parents = sorted(tastes.liking[[person.taste, person.second], movie].tolist())
            assert parents[0] - 1e-6 <= person.liking(movie, tastes) <= parents[1] + 1e-6
    assert len({person.taste for person in people(tastes)}) == len(tastes.row)


def test_they_take_movies_as_everybody_does(tastes):
    """Of a list of what they like best, somebody takes something in 100 visits."""
    for person in people(tastes, count=13):
        unseen = [movie for movie in range(MOVIES) if movie not in person.seen]
        best = sorted(unseen, key=lambda movie: -person.liking(movie, tastes))
        assert any(choose(person, best, tastes, Random(s)) in best for s in range(100))

from importlib.resources import files
from random import Random

import numpy as np
import pytest

from compose.simulator.movielens import Rating, read_movies, read_ratings, split_by_user
from compose.simulator.people import (
    MEMORY,
    Person,
    StreamScale,
    choose,
    learn_tastes,
    minutes_watched,
    newcomer,
    opinion,
    own_idea,
    population,
)

ACTION, ROMANCE = range(30), range(30, 60)


def two_crowds():
    """Users 1-20 love movies 0-29, users 21-40 love 30-59; each held out two of their loves."""
    sent, held_out = [], []
    for user in range(1, 41):
        loved = list(ACTION if user <= 20 else ROMANCE)
        Random(user).shuffle(loved)
        sent += [Rating(user, movie, 5.0, time) for time, movie in enumerate(loved[:15])]
        held_out += [Rating(user, movie, 4.5, 100 + movie) for movie in loved[15:17]]
    return sent, held_out


@pytest.fixture(scope="module")
def tastes():
    return learn_tastes(*two_crowds(), movies=60)


def test_people_like_what_alike_people_like(tastes):
    liking = tastes.liking[tastes.row[1]]
    assert liking[list(ACTION)].mean() > liking[list(ROMANCE)].mean()


def test_what_was_rated_well_but_never_sent_is_liked_most_surely(tastes):
    _, held_out = two_crowds()
    for rating in held_out:
        assert tastes.liking[tastes.row[rating.user_id], rating.movie] >= 0.9


def test_what_was_rated_badly_but_never_sent_is_not_liked():
    sent, held_out = two_crowds()
    disliked = Rating(1, 29, 1.0, 200)
    tastes = learn_tastes(sent, [*held_out, disliked], movies=60)
    assert tastes.liking[tastes.row[1], 29] <= 0.1 + 1e-6


def test_the_same_set_teaches_the_same_tastes():
    first, second = (learn_tastes(*two_crowds(), movies=60) for _ in range(2))
    np.testing.assert_array_equal(first.liking, second.liking)


def test_people_take_more_from_a_list_they_like(tastes):
    def taken(movies):
        person = Person(1, tastes.row[1])
        chosen = [choose(person, movies, tastes, Random(seed)) for seed in range(500)]
        return sum(movie in movies for movie in chosen)

    wishes = tastes.wishes[tastes.row[1]]
    unloved = sorted(ROMANCE, key=lambda movie: tastes.liking[tastes.row[1], movie])[:2]
    assert taken(wishes) > taken(unloved)


def test_nobody_takes_from_a_list_what_they_have_seen(tastes):
    person = Person(1, tastes.row[1], dict.fromkeys(range(60)))
    assert {choose(person, list(range(60)), tastes, Random(seed)) for seed in range(100)} == {None}


def test_people_go_on_watching_when_nobody_answers(tastes):
    person = Person(1, tastes.row[1])
    assert any(choose(person, [], tastes, Random(seed)) is not None for seed in range(20))


def test_own_ideas_are_movies_not_seen_yet(tastes):
    person = Person(1, tastes.row[1], dict.fromkeys(range(50)))
    ideas = {own_idea(person, tastes, Random(seed)) for seed in range(200)}
    assert ideas - {None} <= set(range(50, 60))


def test_what_is_liked_is_watched_longer():
    tastes = learn_tastes(*two_crowds(), movies=3000)
    person = Person(1, tastes.row[1])
    best, worst = (
        int(tastes.liking[person.taste].argmax()),
        int(tastes.liking[person.taste].argmin()),
    )
    minutes = {
        movie: np.mean([minutes_watched(person, movie, 100, tastes, Random(s)) for s in range(200)])
        for movie in (best, worst)
    }
    assert minutes[best] > 1.5 * minutes[worst]


def test_a_movie_is_watched_for_at_least_a_minute_and_at_most_its_length(tastes):
    person = Person(1, tastes.row[1])
    watched = [minutes_watched(person, s % 60, 90, tastes, Random(s)) for s in range(500)]
    assert min(watched) >= 1
    assert max(watched) <= 90


def test_a_held_out_movie_gets_the_stars_it_really_got(tastes):
    person = Person(1, tastes.row[1])
    given = {
        opinion(person, tastes.wishes[person.taste][0], 1, tastes, Random(s)) for s in range(50)
    }
    assert given == {None, 4.5}


@pytest.mark.parametrize(
    ("scale", "stars", "rating"),
    [
        (StreamScale(0.5, 5, 0.5), 3.5, 3.5),
        (StreamScale(0.5, 5, 0.5), 0.1, 0.5),
        (StreamScale(0.5, 5, 0.5), 9.0, 5.0),
        (StreamScale(1, 5, 1), 0.5, 1),
        (StreamScale(1, 5, 1), 5, 5),
        (StreamScale(1, 10, 1), 5, 10),
        (StreamScale(1, 10, 1), 0.5, 1),
    ],
)
def test_stars_come_onto_the_scale_of_the_stream(scale, stars, rating):
    assert scale(stars) == rating


def test_everybody_of_the_set_lives_here_and_remembers_what_they_rated(tastes):
    sent, held_out = two_crowds()
    people = population(tastes, sent)
    assert {person.user_id for person in people} == set(range(1, 41))
    assert all(len(person.seen) == 15 for person in people)
    never_sent = {(rating.user_id, rating.movie) for rating in held_out}
    assert not any((p.user_id, movie) in never_sent for p in people for movie in p.seen)


def test_the_movie_watched_longest_ago_is_forgotten_first():
    person = Person(1, 0)
    for movie in range(MEMORY + 1):
        person.remember(movie)
    assert 0 not in person.seen
    assert len(person.seen) == MEMORY


def test_a_newcomer_has_a_taste_of_the_set_and_has_seen_nothing(tastes):
    person = newcomer(9000, tastes, Random(1))
    assert person.taste in tastes.row.values()
    assert not person.seen


def test_lists_of_what_the_stream_has_not_told_are_taken_more_often_than_popular_ones():
    folder = files("compose.simulator") / "movielens"
    movies = read_movies(folder)
    sent, held_out = split_by_user(read_ratings(folder, movies))
    tastes = learn_tastes(sent, held_out, len(movies))
    counts = np.bincount([rating.movie for rating in sent])
    popular = np.argsort(-counts, stable=True).tolist()

    def taken(movies_of):
        choices = [
            (movies_of(person), choose(person, movies_of(person), tastes, Random(person.user_id)))
            for person in population(tastes, sent)
        ]
        return sum(movie in movies for movies, movie in choices)

    def popular_and_not_seen(person):
        return [movie for movie in popular[:200] if movie not in person.seen][:20]

    assert taken(lambda person: tastes.wishes[person.taste][:20]) > taken(popular_and_not_seen)

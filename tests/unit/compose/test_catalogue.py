import json

from compose.simulator.catalogue import describe_movie, describe_user, runtime
from compose.simulator.movielens import Movie

MOVIES = [
    Movie(number, f"movie+{number}+1999", f"Movie {number} (1999)", 1999, ("Drama",))
    for number in range(1000)
]
NAMELESS = [Movie(number, f"thing+{number}", f"Thing {number}", None, ()) for number in range(1000)]


def test_a_movie_is_described_like_tmdb_does():
    facts = describe_movie(MOVIES[1], [4.0, 5.0], seed=1)
    assert (facts["id"], facts["vote_average"], facts["vote_count"]) == ("movie+1+1999", 9.0, 2)


def test_facts_are_the_same_for_the_same_seed_and_differ_for_another():
    users = [[describe_user(user, seed) for user in range(50)] for seed in (1, 1, 2)]
    assert users[0] == users[1] != users[2]


def test_a_movie_is_as_long_for_its_viewers_as_for_the_api():
    assert int(describe_movie(MOVIES[7], [], seed=3)["runtime"]) == runtime(MOVIES[7], seed=3)


def test_about_one_answer_in_twenty_writes_its_numbers_as_strings():
    odd = sum(isinstance(describe_movie(one, [], seed=1)["runtime"], str) for one in MOVIES)
    assert 25 <= odd <= 80


def test_odd_answers_write_null_as_a_word_and_an_empty_list_as_an_object():
    odd = [facts for one in NAMELESS if (facts := describe_movie(one, [], 1))["genres"] == {}]
    assert odd
    assert {facts["release_date"] for facts in odd} == {"null"}


def test_every_description_is_json():
    assert json.dumps([describe_movie(one, [3.5], 1) for one in [*MOVIES, *NAMELESS]])

"""What an answer always is, and where its movies come from."""

from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.ranking import answer
from tests.unit.recommender.versions import MOVIES, publish

KNOWN, STRANGER = 7, 999


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return publish(
        tmp_path_factory.mktemp("models"),
        top={KNOWN: list(range(59, 29, -1)), 8: [5, 6]},
        seen={KNOWN: [0, 1, 2], 8: [0, 9]},
        likes={3: [50, 51, 52]},
    )


def test_a_known_user_gets_the_precomputed_list_in_its_order(model):
    assert answer(KNOWN, model, {}) == ([MOVIES[item] for item in range(59, 39, -1)], "model")


def test_what_a_known_user_watched_since_gives_way_to_the_next_on_the_list(model):
    movies, reason = answer(KNOWN, model, {MOVIES[59]: nan, MOVIES[57]: 5.0})

    assert (movies[0], movies[1]) == (MOVIES[58], MOVIES[56])
    assert (len(movies), reason) == (20, "model")


def test_a_short_list_is_filled_by_popularity_without_what_was_seen_at_training(model):
    movies, _reason = answer(8, model, {})

    assert movies[:5] == [MOVIES[item] for item in (5, 6, 1, 2, 3)]
    assert MOVIES[9] not in movies


def test_a_stranger_who_rated_gets_what_these_ratings_speak_for_first(model):
    movies, reason = answer(STRANGER, model, {MOVIES[3]: 5.0})

    assert reason == "fold_in"
    assert movies[:4] == [MOVIES[item] for item in (50, 51, 52, 0)]
    assert MOVIES[3] not in movies


def test_a_stranger_who_only_watched_is_folded_in_too(model):
    assert answer(STRANGER, model, {MOVIES[3]: nan}).movie_ids[0] == MOVIES[50]


def test_ratings_that_speak_for_nothing_leave_the_order_to_popularity(model):
    movies, _reason = answer(STRANGER, model, {MOVIES[3]: 1.0})

    assert movies[:4] == [MOVIES[item] for item in (0, 1, 2, 4)]


def test_a_stranger_gets_the_popular_list(model):
    assert answer(STRANGER, model, {}) == (list(MOVIES[:20]), "popular")


def test_movies_the_model_never_met_neither_help_nor_harm(model):
    assert answer(STRANGER, model, {"brand+new+2026": 5.0}).reason == "popular"


@given(
    user=st.sampled_from([KNOWN, 8, STRANGER]),
    recent=st.dictionaries(st.sampled_from(MOVIES), st.sampled_from([nan, 0.5, 3.0, 5.0])),
)
def test_an_answer_is_20_distinct_unseen_movies_or_all_that_are_left(model, user, recent):
    movies = answer(user, model, recent).movie_ids

    seen = {MOVIES[item] for item in model.seen_items(user)} | recent.keys()
    assert len(movies) == len(set(movies)) == min(20, len(MOVIES) - len(seen))
    assert not seen.intersection(movies)

"""What an answer always is, and where its movies come from."""

from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.answers.ranking import (
    NO_FALLBACK,
    Fallback,
    answer,
    filled_up,
    history,
    rank_at_once,
    takes_time,
)
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
    movies, _scores, reason = answer(KNOWN, model, {})

    assert (movies, reason) == ([MOVIES[item] for item in range(59, 39, -1)], "model")


def test_what_a_known_user_watched_since_gives_way_to_the_next_on_the_list(model):
    movies, _scores, reason = answer(KNOWN, model, {MOVIES[59]: nan, MOVIES[57]: 5.0})

    assert (movies[0], movies[1]) == (MOVIES[58], MOVIES[56])
    assert (len(movies), reason) == (20, "model")


def test_a_short_list_is_filled_by_popularity_without_what_was_seen_at_training(model):
    movies, _scores, _reason = answer(8, model, {})

    assert movies[:5] == [MOVIES[item] for item in (5, 6, 1, 2, 3)]
    assert MOVIES[9] not in movies


def test_a_stranger_who_rated_gets_what_these_ratings_speak_for_first(model):
    movies, _scores, reason = answer(STRANGER, model, {MOVIES[3]: 5.0})

    assert reason == "fold_in"
    assert movies[:4] == [MOVIES[item] for item in (50, 51, 52, 0)]
    assert MOVIES[3] not in movies


def test_a_stranger_who_only_watched_is_folded_in_too(model):
    assert answer(STRANGER, model, {MOVIES[3]: nan}).movie_ids[0] == MOVIES[50]


def test_ratings_that_speak_for_nothing_leave_the_order_to_popularity(model):
    movies, _scores, _reason = answer(STRANGER, model, {MOVIES[3]: 1.0})

    assert movies[:4] == [MOVIES[item] for item in (0, 1, 2, 4)]


def test_a_stranger_gets_the_popular_list(model):
    assert answer(STRANGER, model, {}) == (list(MOVIES[:20]), [], "popular")


def test_movies_the_model_never_met_neither_help_nor_harm(model):
    assert answer(STRANGER, model, {"brand+new+2026": 5.0}).reason == "popular"


def test_what_a_known_user_did_since_changes_what_they_are_scored_from(tmp_path):
    model = publish(
        tmp_path, top={KNOWN: [30]}, seen={KNOWN: [1]}, rated=5.0, likes={1: [30], 3: [50, 51]}
    )
    movies, scores, reason = answer(KNOWN, model, {MOVIES[3]: 5.0})

    assert movies[:4] == [MOVIES[item] for item in (50, 30, 51, 0)]
    assert (scores[:4], reason) == ([5.0, 2.5, 2.5, 0.0], "fold_in")
    assert not {MOVIES[1], MOVIES[3]}.intersection(movies)


def test_watching_again_what_was_rated_at_training_changes_no_score(tmp_path):
    model = publish(tmp_path, top={KNOWN: [30]}, seen={KNOWN: [1]}, rated=5.0, likes={1: [30, 31]})

    assert answer(KNOWN, model, {MOVIES[1]: nan}).scores[:2] == [5.0, 2.5]


def test_a_history_is_in_the_order_in_which_a_training_would_see_it(tmp_path):
    model = publish(tmp_path, top={KNOWN: [30]}, seen={KNOWN: [1, 2, 3]}, rated=4.0)

    seen = history(model.user(KNOWN), {9: 5.0, 1: 3.0, 2: nan})
    assert list(seen.items()) == [(2, 4.0), (3, 4.0), (9, 5.0), (1, 3.0)]


def test_people_like_the_user_come_before_what_is_popular_lately_and_that_before_ever(model):
    fallback = Fallback(people=[MOVIES[40]], trending=[MOVIES[41], "brand+new+2026", MOVIES[40]])

    movies, _scores, reason = answer(STRANGER, model, {}, fallback)
    assert movies[:4] == [MOVIES[item] for item in (40, 41, 0, 1)]
    assert reason == "people"
    assert answer(STRANGER, model, {}, Fallback(trending=fallback.trending)).reason == "lately"


def test_lists_that_are_too_short_are_filled_up_and_keep_their_reason(model):
    movies, scores, reason = answer(8, model, {}, Fallback(trending=[MOVIES[41]]))

    assert movies[:4] == [MOVIES[item] for item in (5, 6, 41, 1)]
    assert (len(scores), reason) == (2, "model")


def test_more_diversity_puts_like_movies_further_apart(tmp_path):
    alike = {30: [31], 31: [30]}
    model = publish(tmp_path, top={KNOWN: [30, 31, 32]}, likes=alike)

    assert answer(KNOWN, model, {}, diversity=0.0).movie_ids[:3] == [
        MOVIES[i] for i in (30, 31, 32)
    ]
    assert answer(KNOWN, model, {}, diversity=0.5).movie_ids[:3] == [
        MOVIES[i] for i in (30, 32, 31)
    ]


@given(
    count=st.integers(1, 100),
    diversity=st.sampled_from([0.0, 0.3, 1.0]),
    fallback=st.builds(Fallback, *[st.lists(st.sampled_from(MOVIES))] * 2),
    user=st.sampled_from([KNOWN, 8, STRANGER]),
    recent=st.dictionaries(st.sampled_from(MOVIES), st.sampled_from([nan, 0.5, 3.0, 5.0])),
)
def test_an_answer_is_as_many_distinct_unseen_movies_as_asked_for_or_all_that_are_left(  # noqa: PLR0913, PLR0917 -- all that an answer depends on
    model, user, recent, fallback, diversity, count
):
    movies = answer(user, model, recent, fallback, count, diversity).movie_ids

    seen = {MOVIES[item] for item in model.user(user).seen} | recent.keys()
    assert len(movies) == len(set(movies)) == min(count, len(MOVIES) - len(seen))
    assert not seen.intersection(movies)


LATE = {
    "0": ["lately", "people", "popular"],
    "2": ["model", "fold_in", "lately", "people", "popular"],
}
FALLBACK = Fallback(people=[MOVIES[30]], trending=[MOVIES[40]])


@pytest.fixture(scope="module")
def late(tmp_path_factory):
    """A version whose model was found to help from the second thing done on."""
    return publish(
        tmp_path_factory.mktemp("models"),
        top={KNOWN: list(range(59, 29, -1)), 8: list(range(20, 50))},
        seen={KNOWN: [0, 1], 8: [0]},
        likes={3: [50, 51, 52]},
        sources=LATE,
    )


def test_sources_are_asked_in_the_order_of_the_manifest(late):
    movies, _scores, reason = answer(STRANGER, late, {}, FALLBACK)
    assert (movies[:3], reason) == ([MOVIES[40], MOVIES[30], MOVIES[0]], "lately")


def test_the_model_is_not_asked_for_who_did_less_than_it_needs(late):
    known, stranger = answer(8, late, {}, FALLBACK), answer(STRANGER, late, {MOVIES[3]: 5.0})
    assert (known.movie_ids[0], known.reason) == (MOVIES[40], "lately")
    assert (stranger.movie_ids[0], stranger.reason) == (MOVIES[0], "popular")


def test_from_there_on_it_is(late):
    stranger = answer(STRANGER, late, {MOVIES[9]: 1.0, MOVIES[3]: 5.0}, FALLBACK)
    assert answer(KNOWN, late, {}, FALLBACK).reason == "model"
    assert (stranger.movie_ids[0], stranger.reason) == (MOVIES[50], "fold_in")


def test_a_source_that_the_manifest_leaves_out_is_not_asked(tmp_path):
    version = publish(tmp_path, sources={"0": ["popular"], "1": ["model", "fold_in", "popular"]})
    movies, _scores, reason = answer(STRANGER, version, {}, FALLBACK)
    assert (movies[0], reason) == (MOVIES[0], "popular")


INACTIVE = 9


@pytest.fixture(scope="module")
def of_the_active(tmp_path_factory):
    """A version in which one of those who are known has no list: they did nothing lately."""
    return publish(
        tmp_path_factory.mktemp("models"),
        top={KNOWN: [30], 8: [31], INACTIVE: []},
        listed=[KNOWN, 8],
        seen={KNOWN: [0], 8: [1], INACTIVE: [3, 51]},
        rated=5.0,
        likes={3: [50, 51, 52]},
    )


def test_who_has_no_list_is_ranked_for_when_they_come_by_what_they_did(of_the_active):
    movies, scores, reason = answer(INACTIVE, of_the_active, {})
    assert (movies[:2], reason) == ([MOVIES[50], MOVIES[52]], "fold_in")
    assert scores[:2] == [7.5, 2.5]
    assert not {MOVIES[3], MOVIES[51]} & set(movies)


def test_the_others_have_each_their_own(of_the_active):
    assert answer(KNOWN, of_the_active, {}).movie_ids[0] == MOVIES[30]
    assert answer(8, of_the_active, {}).movie_ids[0] == MOVIES[31]


def test_while_there_is_no_time_who_has_no_list_gets_what_is_popular_and_unseen(of_the_active):
    user = of_the_active.user(INACTIVE)
    ranked = rank_at_once(user, {})
    told = filled_up(of_the_active, ranked, NO_FALLBACK, 20, 0.0)
    assert takes_time(user, {})
    assert (told.movie_ids[:4], told.reason) == ([MOVIES[i] for i in (0, 1, 2, 4)], "popular")


def test_nobody_is_ranked_for_of_whom_the_model_is_not_asked(tmp_path):
    model = publish(tmp_path, top={8: []}, listed=[], seen={8: [0]}, rated=5.0, sources=LATE)
    assert not takes_time(model.user(8), {})
    assert answer(8, model, {}).reason == "popular"


PEOPLE_FIRST = {
    "0": ["people", "popular"],
    "1": ["people", "model", "fold_in", "popular"],
    "4": ["model", "popular"],
}


@pytest.fixture(scope="module")
def people_first(tmp_path_factory):
    """A version whose model was found worse than what people of a kind know, and of use."""
    return publish(
        tmp_path_factory.mktemp("models"),
        top={KNOWN: list(range(59, 29, -1))},
        seen={KNOWN: [0]},
        rated=5.0,
        likes={3: [50, 51, 52]},
        sources=PEOPLE_FIRST,
    )


def test_a_source_that_stands_before_the_model_is_asked_before_it(people_first):
    listed, scores, reason = answer(KNOWN, people_first, {}, FALLBACK)
    assert (listed[:2], scores, reason) == ([MOVIES[30], MOVIES[59]], [], "people")


def test_the_model_is_asked_where_the_source_before_it_has_nothing_to_say(people_first):
    known = answer(KNOWN, people_first, {}, NO_FALLBACK)
    stranger = answer(STRANGER, people_first, {MOVIES[3]: 5.0}, NO_FALLBACK)
    assert (known.movie_ids[0], known.reason) == (MOVIES[59], "model")
    assert (stranger.movie_ids[0], stranger.reason) == (MOVIES[50], "fold_in")
    assert len(known.scores) == len(known.movie_ids)


def test_the_model_may_be_asked_for_those_alone_whom_it_was_fitted_to(people_first):
    since = {MOVIES[item]: 5.0 for item in (3, 4, 5, 6)}
    known = answer(KNOWN, people_first, since, FALLBACK)
    stranger = answer(STRANGER, people_first, since, FALLBACK)
    assert (known.movie_ids[0], known.reason) == (MOVIES[50], "fold_in")
    assert stranger.reason == "popular"

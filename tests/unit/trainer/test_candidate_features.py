import numpy as np
import pytest

from trainer.algorithms.movie_statistics import movie_statistics
from trainer.algorithms.registry import ALGORITHMS
from trainer.data.interactions import Interactions, Scale
from trainer.versions.item_models.candidate_features import DAY, Question, features
from trainer.versions.item_models.history import HistoryModel


def four_of_three():
    """Movie 0 was met by three users, on days 0, 2 and 4; movie 1 once, movie 2 never."""
    return Interactions.assemble(
        np.array([1, 2, 3, 3]),
        ["0", "1", "2"],
        np.array([0, 0, 0, 1], np.int32),
        np.array([5, 1, 3, np.nan], np.float32),
        (np.array([0, 2, 4, 4]) * DAY).astype(np.int64),
    )


@pytest.fixture
def statistics():
    return movie_statistics(four_of_three(), np.array([2, 0, 0, 1], np.float32))


def test_a_movies_days_are_counted_back_from_the_latest_interaction(statistics):
    assert statistics.firsts.tolist() == [-4, 0, 0]
    assert statistics.days.tolist() == [-2, 0, 0]


def test_a_movie_that_nobody_rated_has_the_mean_of_all(statistics):
    assert statistics.means.tolist() == pytest.approx([3, 3, 3])


def test_few_interactions_say_little_of_how_a_movie_is_liked(statistics):
    assert statistics.liked.tolist() == pytest.approx([3.5 / 8, 3.5 / 6, 0.5])


def test_a_movie_is_popular_in_its_own_time():
    many = Interactions.assemble(
        np.arange(200),
        ["old", "new"],
        np.repeat([0, 1], 100).astype(np.int32),
        np.full(200, 4, np.float32),
        (np.arange(200) * DAY).astype(np.int64),
    )
    popularity = movie_statistics(many, np.ones(200, np.float32)).popularity
    new, old = popularity.T
    assert old[0] > new[0]
    assert old[-1] < new[-1]


def question(items, indptr, candidates=((2, 1),)):
    items = np.array(items, np.int32)
    return Question(
        np.array(indptr),
        items,
        np.full(len(items), 4, np.float32),
        np.zeros(len(indptr) - 1),
        np.array(candidates, np.int32),
    )


def test_the_past_fades_in_each_history_by_itself():
    asked = question([5, 6, 7], [0, 2, 3])
    assert asked.fading(1.0).tolist() == pytest.approx([np.exp(-1), 1, 1])


def test_a_mean_is_that_of_each_history():
    asked = question([5, 6, 7], [0, 2, 3])
    assert asked.mean(np.array([1.0, 3.0, 5.0]), np.ones(3)).tolist() == [2, 5]


def test_there_are_not_more_latest_movies_than_movies():
    items, there = question([5, 6, 7], [0, 2, 3]).latest(1)
    assert items[there].tolist() == [5]
    assert there.tolist() == [True, False]


@pytest.fixture(scope="module")
def first(interactions):
    algorithm = ALGORITHMS["recency_transitions"]
    return algorithm.fit(interactions, algorithm.candidates(Scale(1, 5))[0]).item_model


def shown(first: HistoryModel, interactions, rows):
    """The features of the same three candidates for some users."""
    histories = interactions.histories(np.array(rows, np.int32))
    candidates = np.tile(np.array([7, 3, 9], np.int32), (len(rows), 1))
    asked = Question(*histories, days=np.zeros(len(rows)), candidates=candidates)
    base = asked.of_candidates(first.score(*histories))
    movies = movie_statistics(interactions, np.ones(len(interactions), np.float32))
    return features(first, movies, asked, base)


def test_every_feature_of_every_candidate_is_finite(first, interactions):
    found = shown(first, interactions, [0, 1, 2, 3])
    assert found.shape[:2] == (4, 3)
    assert np.isfinite(found).all()


def test_what_is_shown_of_a_user_does_not_depend_on_others(first, interactions):
    alone, beside = shown(first, interactions, [2]), shown(first, interactions, [5, 2])
    assert np.allclose(alone[0], beside[1], atol=1e-5)

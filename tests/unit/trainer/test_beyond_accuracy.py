import numpy as np
import pytest

from trainer.data.interactions import Interactions
from trainer.evaluation.beyond_accuracy import beyond_accuracy, gini, heavy_users
from trainer.evaluation.metrics import RankingFigures


def ranking(lists):
    nothing = np.zeros(len(lists))
    rows = np.arange(len(lists), dtype=np.int32)
    return RankingFigures(nothing, nothing, nothing, rows, np.array(lists, np.int32))


def training():
    """Ten movies; movie 0 was met by all of four users, the others by one or none."""
    users, items = np.array([0, 1, 2, 3, 3, 3]), np.array([0, 0, 0, 0, 1, 2], np.int32)
    return Interactions.assemble(
        users, [f"{n}" for n in range(10)], items, np.full(6, 5, np.float32), np.arange(6)
    )


def test_coverage_is_the_share_of_movies_shown():
    assert beyond_accuracy(ranking([[1, 2], [1, 3]]), training())["coverage20"] == 0.3


def test_padding_shows_nothing():
    assert beyond_accuracy(ranking([[1, -1]]), training())["coverage20"] == 0.1


def test_novelty_counts_the_bits_that_tell_a_movie():
    assert beyond_accuracy(ranking([[0, 1]]), training())["novelty20"] == 1  # of 0 and 2 bits


def test_the_long_tail_is_all_but_the_most_popular_fifth():
    assert beyond_accuracy(ranking([[0, 1, 5, 6]]), training())["tail20"] == 0.5


def test_nothing_is_said_of_no_lists():
    assert beyond_accuracy(ranking(np.zeros((0, 20))), training()) == {}


@pytest.mark.parametrize(
    ("counts", "expected"), [([5, 5, 5, 5], 0), ([0, 0, 0, 8], 0.75), ([1, 3], 0.25)]
)
def test_gini_is_that_of_the_textbook(counts, expected):
    assert gini(np.array(counts)) == pytest.approx(expected)


def test_heavy_users_have_a_longer_history_than_half():
    assert heavy_users(ranking([[1]] * 4), training()).tolist() == [False, False, False, True]

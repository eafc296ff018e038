"""Versions that the offline gate cannot refuse: each movie under the name of another."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from tests.drill.spoiled_version import misnamed, misranked, other_names
from trainer.versions.contents import PADDING, Contents, SeenItems, TopLists

MOVIES = tuple(f"movie+{number}" for number in range(40))


@dataclass
class Model:
    """Knows nothing; what a version holds of it is not looked at here."""


@pytest.fixture
def contents():
    return Contents(
        movies=MOVIES,
        users=np.array([1, 2]),
        popular=np.arange(40, dtype=np.int32)[::-1],
        top=TopLists(np.zeros((2, 100), np.int32), np.zeros((2, 100), np.float32)),
        seen=SeenItems(np.array([0, 2, 3]), np.array([3, 5, 7], np.int32)),
        model=Model(),
    )


def names(movies, items):
    return [movies[item] for item in items]


@pytest.mark.parametrize(("kept", "same"), [(0.0, 0), (0.25, 10)])
def test_so_many_movies_keep_their_name_and_no_other_does(kept, same):
    order = other_names(40, kept, seed=1)
    assert sorted(order) == list(range(40))
    assert np.count_nonzero(order == np.arange(40)) == same


def test_a_misnamed_version_is_wrong_in_all_it_says(contents):
    spoiled = misnamed(contents, other_names(40, 0.0, seed=1))
    assert set(spoiled.movies) == set(MOVIES)
    assert all(map(str.__ne__, spoiled.movies, MOVIES))
    assert spoiled.seen is contents.seen


def test_a_misranked_version_lists_nothing_that_was_seen(contents):
    listed = np.tile(np.arange(40, dtype=np.int32), (2, 1))
    listing = replace(contents, top=TopLists(listed, np.zeros((2, 40), np.float32)))
    spoiled = misranked(listing, other_names(40, 0.25, seed=1))
    left = [set(names(spoiled.movies, row[row != PADDING])) for row in spoiled.top.items]
    assert left == [set(MOVIES) - {"movie+3", "movie+5"}, set(MOVIES) - {"movie+7"}]


def test_where_some_alone_have_lists_each_is_held_against_what_its_own_user_has_seen(contents):
    listed = np.arange(40, dtype=np.int32)[np.newaxis]
    top = TopLists(listed, np.zeros((1, 40), np.float32))
    second = replace(contents, top=top, listed=np.array([1], np.int32))
    spoiled = misranked(second, other_names(40, 0.25, seed=1))
    row = spoiled.top.items[0]
    assert set(names(spoiled.movies, row[row != PADDING])) == set(MOVIES) - {"movie+7"}


def test_a_misranked_version_knows_what_was_seen_and_what_is_popular(contents):
    spoiled = misranked(contents, other_names(40, 0.25, seed=1))
    assert names(spoiled.movies, spoiled.seen.indices) == names(MOVIES, contents.seen.indices)
    assert names(spoiled.movies, spoiled.popular) == names(MOVIES, contents.popular)
    assert sum(map(str.__ne__, spoiled.movies, MOVIES)) == 30

"""What counts as a like: ratings, and viewings only where ratings can judge nobody."""

from dataclasses import replace

import numpy as np
import pytest

from trainer.algorithms.boosted_trees import BoostedTrees
from trainer.data.interactions import Liked, Scale
from trainer.data.likes import FEW, decide_likes
from trainer.data.split import add_decoys, split_each_user
from trainer.evaluation.metrics import judged_rows

SCALE = Scale(1, 5)
NAN = float("nan")
WATCHED = replace(SCALE, viewings_liked=True)


def unrated(interactions, rating_users):
    """Everybody only watched, but for the first few people, who rate."""
    ratings = np.where(interactions.rows() < rating_users, interactions.ratings, np.float32(NAN))
    return replace(interactions, ratings=ratings)


def test_a_like_is_a_rating_from_somewhere_on():
    assert Liked(4)(np.array([3.5, 4, NAN], np.float32)).tolist() == [False, True, False]


def test_a_viewing_is_a_like_where_that_is_decided():
    assert Liked(4, viewings=True)(np.array([3.5, 4, NAN], np.float32)).tolist() == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("rating_users", [0, 1, FEW // 3])
def test_viewings_are_likes_where_next_to_nobody_rates(interactions, rating_users):
    assert decide_likes(unrated(interactions, rating_users), SCALE) == WATCHED


def test_ratings_alone_are_likes_where_they_can_judge(interactions):
    assert decide_likes(unrated(interactions, FEW), SCALE) == SCALE


def test_ratings_alone_are_likes_where_most_is_rated(interactions):
    few = interactions.only(interactions.rows() < FEW // 2)
    mostly = unrated(few, FEW // 3)
    assert decide_likes(mostly, SCALE) == SCALE


def test_a_viewing_held_out_is_relevant_and_a_decoy_is_not(interactions):
    watched = unrated(interactions, 0)
    split = split_each_user(watched, WATCHED.liked)
    with_decoys = add_decoys(split, np.random.default_rng(1))
    assert len(with_decoys.test) > len(split.test)
    assert with_decoys.relevant(WATCHED.liked).items.tolist() == split.test.items.tolist()


def test_a_viewing_that_is_a_like_speaks_for_a_movie_as_the_least_rating_that_is_one():
    assert SCALE.watched_preference == 1
    assert WATCHED.watched_preference == SCALE.liked.rating - SCALE.midpoint


def test_who_only_watched_can_be_judged_by_viewings_alone(interactions):
    split = split_each_user(unrated(interactions, 0), WATCHED.liked)
    assert not len(judged_rows(split, SCALE.liked))
    assert len(judged_rows(split, WATCHED.liked)) == len(interactions.users)


def test_trees_learn_from_what_is_a_like_in_the_stream(interactions):
    algorithm = BoostedTrees()
    watched = unrated(interactions, 0)
    model = algorithm.fit(watched, algorithm.candidates(WATCHED)[0])
    assert len(model.item_model.trees.roots)

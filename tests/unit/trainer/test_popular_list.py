"""Counts are what is popular, unless newcomers gain beyond noise by how much it was liked."""

from dataclasses import replace

import numpy as np
import pytest

from trainer.algorithms.popularity import PopularityConfiguration
from trainer.data.interactions import Interactions, Liked, Scale
from trainer.data.split import split_each_user
from trainer.evaluation.metrics import judge_one_list
from trainer.selection.popular_list import COUNTS, gain_over_counts
from trainer.selection.trials import recipes, try_on_validation

SCALE = Scale(1, 5)
WEIGHED = PopularityConfiguration(liking=2, watched=1)
PEOPLE, MOVIES = 1_000, 200


def stream(worth):
    """People meet any movies; how much they like one is by chance, and by what it is worth."""
    random = np.random.default_rng(3)
    items = np.array([random.permutation(MOVIES)[:6] for _ in range(PEOPLE)]).ravel()
    ratings = np.clip(np.round(random.normal(3 + worth(items), 1)), 1, 5)
    return Interactions.assemble(
        np.repeat(np.arange(PEOPLE), 6),
        [f"movie+{code:03}" for code in range(MOVIES)],
        items.astype(np.int32),
        ratings.astype(np.float32),
        random.permutation(len(items)),
    )


def by_movie(items):
    return np.where(items % 4 == 0, 1.5, -0.5)


def by_nothing(items):
    return np.zeros(len(items))


def tried(interactions):
    """The configurations of popularity that are left, and what is told."""
    split, told = split_each_user(interactions, SCALE.liked), []
    trials = try_on_validation(recipes(SCALE, ["ease"]), split, SCALE, told.append)
    return {trial.recipe.popularity for trial in trials}, told


def test_a_list_for_everybody_is_judged_by_what_each_liked():
    relevant = stream(by_nothing).only(np.arange(6 * PEOPLE) < 12)
    first, second = relevant.items[:6], relevant.items[6:]
    found = judge_one_list(first.astype(np.int32), relevant)
    assert found[0] == pytest.approx(1)
    assert (found[1] > 0) == bool(np.isin(second, first).any())


def test_newcomers_gain_where_some_movies_are_liked_more():
    assert gain_over_counts(WEIGHED, stream(by_movie), SCALE.liked).low > 0


def test_newcomers_do_not_gain_where_liking_tells_nothing():
    assert gain_over_counts(WEIGHED, stream(by_nothing), SCALE.liked).low <= 0


def test_counts_gain_nothing_over_themselves():
    gain = gain_over_counts(COUNTS, stream(by_movie), SCALE.liked)
    assert (gain.low, gain.high) == (0, 0)


def test_where_nobody_liked_anything_nothing_can_be_gained():
    assert gain_over_counts(WEIGHED, stream(by_movie), Liked(6)) is None


def test_where_liking_tells_something_the_popular_list_weighs_it():
    configurations, _ = tried(stream(by_movie))
    assert any(configuration.liking for configuration in configurations)


def test_where_liking_tells_nothing_what_is_popular_is_counted_and_it_is_told():
    configurations, told = tried(stream(by_nothing))
    assert configurations == {COUNTS}
    assert any(line.startswith("what is popular is counted") for line in told)


def test_viewings_alone_are_counted():
    watched = stream(by_movie)
    watched = replace(watched, ratings=np.full_like(watched.ratings, np.nan))
    assert gain_over_counts(WEIGHED, watched, Liked(4, viewings=True)).high == 0

"""What all users together did with each movie, counted for the features of boosted trees. Pure."""

import numpy as np
from numpy.typing import NDArray

from trainer.data.interactions import Interactions
from trainer.versions.item_models.candidate_features import DAY, MovieStatistics
from trainer.versions.item_models.item_model import Ratings, Scores

PERIODS = 20
"""Of as many interactions each; what is popular is counted by period."""


def movie_statistics(interactions: Interactions, preferences: Scores) -> MovieStatistics:
    """Count; `preferences` is float32 [interactions], above 0 for what spoke for its movie."""
    days = (interactions.times - interactions.times.max()) / DAY
    ends = np.quantile(days, np.linspace(0, 1, PERIODS + 1)[1:-1])
    return MovieStatistics(
        np.log1p(interactions.counts()).astype(np.float32),
        _drawn_means(interactions, interactions.ratings),
        _drawn_means(interactions, (preferences > 0).astype(np.float32)),
        _firsts(interactions, days),
        _middles(interactions, days),
        ends,
        _popularity(interactions, np.searchsorted(ends, days)),
    )


def _drawn_means(interactions: Interactions, values: Ratings, drawn_by: int = 5) -> Scores:
    known = ~np.isnan(values)
    items, values, size = interactions.items[known], values[known], len(interactions.movies)
    usual = float(values.mean()) if len(values) else 0.0
    sums = np.bincount(items, values, minlength=size) + drawn_by * usual
    return (sums / (np.bincount(items, minlength=size) + drawn_by)).astype(np.float32)


def _firsts(interactions: Interactions, days: NDArray[np.float64]) -> Scores:
    firsts = np.zeros(len(interactions.movies))
    np.minimum.at(firsts, interactions.items, days)
    return firsts.astype(np.float32)


def _middles(interactions: Interactions, days: NDArray[np.float64]) -> Scores:
    sums = np.bincount(interactions.items, days, minlength=len(interactions.movies))
    return (sums / np.maximum(1, interactions.counts())).astype(np.float32)


def _popularity(interactions: Interactions, periods: NDArray[np.intp]) -> Scores:
    size = len(interactions.movies)
    counted = np.zeros((PERIODS, size))
    np.add.at(counted, (periods, interactions.items), 1)
    padded = np.pad(counted, ((1, 1), (0, 0)))
    around = padded[:-2] + padded[1:-1] + padded[2:] + 0.5
    return np.log(around / around.mean(axis=1, keepdims=True)).astype(np.float32)

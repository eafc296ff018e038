"""What lists show beside whether they hit: how much of the catalogue, how evenly, how new.

Of the lists of the judged users, 20 movies each.
"""

import numpy as np
from numpy.typing import NDArray

from trainer.data.interactions import Interactions
from trainer.evaluation.metrics import RankingFigures
from trainer.versions.contents import PADDING

POPULAR_SHARE = 0.2
"""The most popular fifth of the movies are the popular ones, the others the long tail."""


def beyond_accuracy(ranking: RankingFigures, training: Interactions) -> dict[str, float]:
    """Coverage, Gini, novelty and the long tail's share of what the lists show.

    `coverage20`: share of all movies that are in some list. `gini20`: 0 when all movies are
    shown alike, near 1 when few are shown always. `novelty20`: bits that tell a movie from
    among those people met, -log2 of the share of users who met it (at least one counted).
    `tail20`: share of what is shown that is not of the most popular fifth.
    """
    shown = ranking.lists[ranking.lists != PADDING]
    if not len(shown):
        return {}
    counts = training.counts()
    met = np.maximum(1, counts[shown]) / len(training.users)
    return {
        "coverage20": len(np.unique(shown)) / len(counts),
        "gini20": gini(np.bincount(shown, minlength=len(counts))),
        "novelty20": float(-np.log2(met).mean()),
        "tail20": float(1 - popular_movies(training)[shown].mean()),
    }


def popular_movies(training: Interactions) -> NDArray[np.bool_]:
    """Which movies are of the most popular fifth, and not of the long tail: bool [movies]."""
    popular = np.zeros(len(training.movies), np.bool_)
    popular[training.popular()[: int(len(popular) * POPULAR_SHARE)]] = True
    return popular


def gini(counts: NDArray[np.int64]) -> float:
    """The Gini coefficient of some counts, at least one of them positive."""
    ordered = np.sort(counts).astype(np.float64)
    places = np.arange(1, len(ordered) + 1)
    return float(((2 * places - len(ordered) - 1) * ordered).sum() / (len(ordered) * ordered.sum()))


def heavy_users(ranking: RankingFigures, training: Interactions) -> NDArray[np.bool_]:
    """Who has a longer history than half of them: bool [judged users]."""
    lengths = np.diff(training.indptr)[ranking.rows]
    heavier: NDArray[np.bool_] = lengths > np.median(lengths)
    return heavier

"""Past and future: what an algorithm may learn from, and what it is judged on."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trainer.interactions import Interactions

HELD_OUT_ONE_IN = 5


@dataclass(frozen=True)
class Split:
    """Two parts of a matrix, with its index maps."""

    training: Interactions
    test: Interactions
    planted: NDArray[np.int32] | None = None
    """int32 [users]: a movie planted in each user's test part; -1 where there was no room."""


def split_each_user(interactions: Interactions) -> Split:
    """Hold out the latest fifth of each user's interactions, at least one."""
    lengths = np.diff(interactions.indptr)
    held_out = np.maximum(1, lengths // HELD_OUT_ONE_IN)
    first_held_out = np.repeat(interactions.indptr[1:] - held_out, lengths)
    return _split(interactions, np.arange(len(interactions)) < first_held_out)


def split_at_one_time(interactions: Interactions) -> Split:
    """Hold out the latest fifth of all interactions: everything from one instant on."""
    cut = np.sort(interactions.times)[len(interactions) - len(interactions) // HELD_OUT_ONE_IN - 1]
    return _split(interactions, interactions.times <= cut)


def _split(interactions: Interactions, training: NDArray[np.bool_]) -> Split:
    return Split(interactions.only(training), interactions.only(~training))


def plant(split: Split, random: np.random.Generator) -> Split:
    """Hide in each user's test part a movie, drawn from all that the user never met.

    Nothing can be known of where it ranks: whoever ranks it high has seen the test part. It
    is unrated, so no figure counts it as relevant.
    """
    users, movies = len(split.test.users), len(split.test.movies)
    met = split.training.matrix(np.ones(len(split.training), np.float32))
    met = met + split.test.matrix(np.ones(len(split.test), np.float32))
    planted = random.integers(movies, size=users).astype(np.int32)
    for row in range(users):
        own = met.indices[met.indptr[row] : met.indptr[row + 1]]
        planted[row] = _first_not_in(own, int(planted[row]), movies)
    return Split(split.training, _with(split.test, planted), planted)


def _first_not_in(own: NDArray[np.int32], drawn: int, movies: int) -> int:
    if len(own) == movies:
        return -1
    unmet = np.setdiff1d(np.arange(movies), own) if drawn in own else np.array([drawn])
    return int(unmet[drawn % len(unmet)])


def _with(test: Interactions, planted: NDArray[np.int32]) -> Interactions:
    rows = np.flatnonzero(planted >= 0)
    ends = test.indptr[rows + 1]
    lengths = np.diff(test.indptr) + (planted >= 0)
    latest = np.iinfo(np.int64).max
    return replace(
        test,
        indptr=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        items=np.insert(test.items, ends, planted[rows]),
        ratings=np.insert(test.ratings, ends, np.float32(np.nan)),
        times=np.insert(test.times, ends, latest),
    )

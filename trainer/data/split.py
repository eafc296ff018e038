"""Past and future: what an algorithm may learn from, and what it is judged on."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trainer.data.interactions import Interactions

HELD_OUT_ONE_IN = 5
JUDGED_USERS = 20_000
"""Of more users, so many are drawn to judge by: their mean is sure to a hundredth of itself."""


@dataclass(frozen=True)
class Split:
    """Two parts of a matrix, with its index maps."""

    training: Interactions
    test: Interactions
    decoys: NDArray[np.int32] | None = None
    """int32 [users]: a movie decoys in each user's test part; -1 where there was no room."""


def split_each_user(interactions: Interactions) -> Split:
    """Hold out the latest fifth of each user's interactions, at least one.

    Of more than `JUDGED_USERS` users, of so many; everything of the others is learned from.
    """
    lengths = np.diff(interactions.indptr)
    held_out = np.maximum(1, lengths // HELD_OUT_ONE_IN) * _judged(len(lengths))
    first_held_out = np.repeat(interactions.indptr[1:] - held_out, lengths)
    training = np.arange(len(interactions)) < first_held_out
    return Split(interactions.only(training), interactions.only(~training))


def split_at_one_time(interactions: Interactions) -> Split:
    """Hold out the latest fifth of all interactions: everything from one instant on.

    Of more than `JUDGED_USERS` users, the later interactions of all but so many are left out.
    """
    cut = np.sort(interactions.times)[len(interactions) - len(interactions) // HELD_OUT_ONE_IN - 1]
    earlier = interactions.times <= cut
    judged = np.repeat(_judged(len(interactions.users)), np.diff(interactions.indptr))
    return Split(interactions.only(earlier), interactions.only(~earlier & judged))


def _judged(users: int) -> NDArray[np.bool_]:
    judged = np.ones(users, np.bool_)
    if users > JUDGED_USERS:
        left_out = np.random.default_rng(users).permutation(users)[JUDGED_USERS:]
        judged[left_out] = False
    return judged


def add_decoys(split: Split, random: np.random.Generator) -> Split:
    """Hide in each user's test part a movie, drawn from all that the user never met.

    Nothing can be known of where it ranks: whoever ranks it high has seen the test part. It
    is unrated, so no figure counts it as relevant.
    """
    users, movies = len(split.test.users), len(split.test.movies)
    drawn = random.integers(movies, size=users)
    decoys = np.full(users, -1, np.int32)
    for row in np.flatnonzero(np.diff(split.test.indptr)):
        own = [
            part.items[part.indptr[row] : part.indptr[row + 1]]
            for part in (split.training, split.test)
        ]
        decoys[row] = _first_not_in(np.concatenate(own), int(drawn[row]), movies)
    return Split(split.training, _with(split.test, decoys), decoys)


def _first_not_in(own: NDArray[np.int32], drawn: int, movies: int) -> int:
    if len(own) == movies:
        return -1
    unmet = np.setdiff1d(np.arange(movies), own) if drawn in own else np.array([drawn])
    return int(unmet[drawn % len(unmet)])


def _with(test: Interactions, decoys: NDArray[np.int32]) -> Interactions:
    rows = np.flatnonzero(decoys >= 0)
    ends = test.indptr[rows + 1]
    lengths = np.diff(test.indptr) + (decoys >= 0)
    latest = np.iinfo(np.int64).max
    return replace(
        test,
        indptr=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        items=np.insert(test.items, ends, decoys[rows]),
        ratings=np.insert(test.ratings, ends, np.float32(np.nan)),
        times=np.insert(test.times, ends, latest),
    )

"""Past and future: what an algorithm may learn from, and what it is judged on."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trainer.data.interactions import Interactions, Liked

HELD_OUT_ONE_IN = 5
JUDGED_USERS = 20_000
"""Of more who can be judged, so many are drawn: their mean is sure to a hundredth of itself."""


@dataclass(frozen=True)
class Split:
    """Two parts of a matrix, with its index maps."""

    training: Interactions
    test: Interactions
    decoys: NDArray[np.int32] | None = None
    """int32 [users]: a movie decoys in each user's test part; -1 where there was no room."""

    def relevant(self, liked: Liked) -> Interactions:
        """What was held out and liked; a decoy is never that."""
        likes = liked(self.test.ratings)
        if self.decoys is not None:
            likes &= self.test.items != self.decoys[self.test.rows()]
        return self.test.only(likes)


def split_each_user(interactions: Interactions, liked: Liked) -> Split:
    """Hold out the latest fifth of each user's interactions.

    Where a fifth is less than one, it is one of so many of these users as make a fifth: if
    each lost one of two, nothing would be left that says what goes together. Who has one
    interaction cannot be judged: it is learned from. Of more than `JUDGED_USERS` who can be
    judged, so many are drawn, and everything of all others is learned from.

    Args:
        interactions: what is split.
        liked: who has a held-out movie that was liked can be judged.
    """
    lengths = np.diff(interactions.indptr)
    drawn = np.random.default_rng(len(interactions)).random(len(lengths))
    one = (lengths > 1) & (drawn < lengths / HELD_OUT_ONE_IN)
    held_out = np.maximum(lengths // HELD_OUT_ONE_IN, one)
    split = _held_out(interactions, held_out)
    judged = _judged(np.diff(split.relevant(liked).indptr) > 0)
    return split if judged is None else _held_out(interactions, np.where(judged, held_out, 0))


def split_at_one_time(interactions: Interactions, liked: Liked) -> Split:
    """Hold out the latest fifth of all interactions: everything from one instant on.

    Of more than `JUDGED_USERS` who can be judged, the later interactions of others are left out.
    """
    cut = np.sort(interactions.times)[len(interactions) - len(interactions) // HELD_OUT_ONE_IN - 1]
    earlier = interactions.times <= cut
    split = Split(interactions.only(earlier), interactions.only(~earlier))
    known = np.diff(split.training.indptr) > 0
    judged = _judged(known & (np.diff(split.relevant(liked).indptr) > 0))
    if judged is None:
        return split
    return Split(split.training, split.test.only(judged[split.test.rows()]))


def _held_out(interactions: Interactions, numbers: NDArray[np.int64]) -> Split:
    """Hold out so many of each user's latest interactions."""
    ends = np.repeat(interactions.indptr[1:] - numbers, np.diff(interactions.indptr))
    training = np.arange(len(interactions)) < ends
    return Split(interactions.only(training), interactions.only(~training))


def _judged(able: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Of users who can be judged (bool [users]) the drawn ones; None where all of them are."""
    users = np.flatnonzero(able)
    if len(users) <= JUDGED_USERS:
        return None
    judged = np.zeros_like(able)
    judged[np.random.default_rng(len(able)).permutation(users)[:JUDGED_USERS]] = True
    return judged


def of_some_people(split: Split, judged: int, largest: int, random: np.random.Generator) -> Split:
    """Judge some of the people, and learn from them and from as many others as there is room for.

    Args:
        split: a matrix in two parts.
        judged: people of the test part who stay in it, at most.
        largest: interactions of the training part, if these people have no more.
        random: draws them, and the others.
    """
    lengths = np.diff(split.training.indptr)
    order = random.permutation(len(lengths))
    judges = order[np.diff(split.test.indptr)[order] > 0][:judged]
    order = np.concatenate([judges, np.setdiff1d(order, judges, assume_unique=True)])
    learned, tested = np.zeros((2, len(lengths)), np.bool_)
    tested[judges] = learned[judges] = True
    learned[order[np.cumsum(lengths[order]) <= largest]] = True
    return replace(
        split,
        training=split.training.only(learned[split.training.rows()]),
        test=split.test.only(tested[split.test.rows()]),
    )


def add_decoys(split: Split, random: np.random.Generator) -> Split:
    """Hide in each user's test part a movie, drawn from all that the user never met.

    Nothing can be known of where it ranks: whoever ranks it high has seen the test part. No
    figure counts it as relevant.
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

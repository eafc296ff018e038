"""Past and future: what an algorithm may learn from, and what it is judged on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.interactions import Interactions

HELD_OUT_ONE_IN = 5


@dataclass(frozen=True)
class Split:
    """Two parts of a matrix, with its index maps."""

    training: Interactions
    test: Interactions


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

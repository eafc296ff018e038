"""What lists are made of that no model made: where a slot and its judge have to agree. Pure."""

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

HELD_BY = 50.0
"""So many people of the whole are added to each group of people."""
HALF_LIFE = timedelta(days=1)
"""After so long, a meeting of a user and a movie counts half for what is trending."""
ENOUGH_PEOPLE = 3.0
"""A movie needs so many people, discounted by age, to be trending."""


def usual_shares(known: NDArray[np.float64]) -> NDArray[np.float64]:
    """How usual each item is in each group, held towards how usual it is among all.

    Args:
        known: float64 [groups, 1 + items]: how many people each group has, then how many of
            them know each item; the last group is of those who are in none.

    Returns:
        float64 [groups - 1, items]: the share of each group, but the last, that knows each.
    """
    sizes, counts = known[:, 0], known[:, 1:]
    overall = counts.sum(axis=0) / max(1.0, sizes.sum())
    shares: NDArray[np.float64] = (counts + HELD_BY * overall) / (sizes + HELD_BY)[:, None]
    return shares[:-1]

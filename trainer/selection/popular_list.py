"""Whether weighing likes makes a better popular list than counting: judged by newcomers.

The list is what those get who did nothing yet, and everybody who liked anything can be such a
newcomer: many more than can judge on validation, where weights that differ by chance are told
apart by nothing else.
"""

import numpy as np

from trainer.algorithms.popularity import PopularityConfiguration
from trainer.data.interactions import Interactions, Liked
from trainer.data.split import HELD_OUT_ONE_IN, JUDGED_USERS
from trainer.evaluation.metrics import Figure, judge_one_list, mean_figure

SEED = 20
COUNTS = PopularityConfiguration()
"""Popularity as it is plainest: the number of people who met a movie."""


def gain_over_counts(
    weighed: PopularityConfiguration, known: Interactions, liked: Liked
) -> Figure | None:
    """What newcomers gain in NDCG@20 by a weighed list; None where nobody liked anything.

    Each fifth of the people in turn are newcomers, who get what is popular with all others.

    Args:
        weighed: what makes a movie popular, instead of plain counts.
        known: what may be learned from.
        liked: what a newcomer liked is to be found.
    """
    rows, likes = known.rows(), liked(known.ratings)
    gains = []
    for fifth in range(HELD_OUT_ONE_IN):
        new = rows % HELD_OUT_ONE_IN == fifth
        others, relevant = known.only(~new), known.only(new & likes)
        plain, better = (
            judge_one_list(each.popular(others), relevant) for each in (COUNTS, weighed)
        )
        gains.append(better - plain)
    together = np.random.default_rng(SEED).permutation(np.concatenate(gains))[:JUDGED_USERS]
    return mean_figure(together, np.random.default_rng(SEED)) if len(together) else None

"""What people get whom the model was fitted to: judged on the test part, by how much they did."""

from itertools import pairwise

import numpy as np

from trainer.data.split import Split
from trainer.evaluation.metrics import RankingFigures
from trainer.selection.newcomers import EVENTS, ImpersonalSources, JudgedSources
from trainer.selection.trials import Recipe

BEYOND = np.iinfo(np.int64).max


def judge_known_people(
    recipe: Recipe, ranking: RankingFigures, split: Split, liked: float
) -> dict[int, JudgedSources]:
    """Judge every source for those on the test part, by the number of things known of them.

    Args:
        recipe: the chosen one.
        ranking: what its model lists for everybody who can be judged.
        split: what it was fitted to, and judged on.
        liked: from this rating on a held-out movie is relevant.

    Returns:
        By the number of things from which on it holds, up to the next.
    """
    if not len(ranking.rows):
        return {}
    popular = recipe.popularity.popular(split.training)
    impersonal = ImpersonalSources.fit(split.training, popular)
    found = {"model": ranking.ndcg, **impersonal.judged(split, liked, ranking.rows)}
    done = np.diff(split.training.indptr)[ranking.rows]
    by_number = {
        least: (done >= least) & (done < beyond) for least, beyond in pairwise([*EVENTS, BEYOND])
    }
    return {
        number: JudgedSources({name: ndcg[some] for name, ndcg in found.items()})
        for number, some in by_number.items()
        if some.any()
    }

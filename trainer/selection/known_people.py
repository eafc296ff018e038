"""What people get whom the model was fitted to: judged on the test part, by how much they did."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from trainer.data.interactions import Liked
from trainer.data.split import Split
from trainer.evaluation.metrics import RankingFigures
from trainer.selection.newcomers import ASKED, EVENTS, SEED, ImpersonalSources, JudgedSources
from trainer.selection.trials import Recipe


def judge_known_people(
    recipe: Recipe, ranking: RankingFigures, split: Split, liked: Liked
) -> dict[int, JudgedSources]:
    """Judge every source for those on the test part, by the number of things known of them.

    Args:
        recipe: the chosen one.
        ranking: what its model lists for everybody who can be judged.
        split: what it was fitted to, and judged on.
        liked: a held-out movie that was liked is relevant.

    Returns:
        By the number of things from which on it holds, up to the next.
    """
    if not len(ranking.rows):
        return {}
    popular = recipe.popularity.popular(split.training)
    impersonal = ImpersonalSources.fit(split.training, popular)
    found = {}
    for number, places in _drawn(np.diff(split.training.indptr)[ranking.rows]):
        others = impersonal.judged(split, liked, ranking.rows[places])
        found[number] = JudgedSources({"model": ranking.ndcg[places], **others})
    return found


def _drawn(done: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """By number of things done, the places of those who did as many, `ASKED` of them at most."""
    for least, beyond in pairwise([*EVENTS, np.iinfo(np.int64).max]):
        able = np.flatnonzero((done >= least) & (done < beyond))
        if len(able):
            yield least, np.sort(np.random.default_rng(SEED).permutation(able)[:ASKED])

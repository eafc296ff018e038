"""Further rounds of validation, where few could be judged by the latest of what they did.

Of who did two things, three or four, a fifth of the things is held out, so most of them are
judged by nothing. All are dealt into parts: in each round those of one part are cut somewhere,
and all recipes that may still be the best learn from the rest. So everybody who did two things
is judged once more, at another point: the mixture of people stays what it was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trainer.data.interactions import Interactions, Scale
from trainer.data.split import Split, split_some_users
from trainer.evaluation.metrics import judged_rows, mean_figure
from trainer.selection.trials import (
    BASELINE,
    Say,
    Trial,
    best_of_each,
    try_recipes,
)

ENOUGH = 5_000
"""Of so many judged people a mean is sure to some hundredths of itself."""
PARTS = 4
"""Rounds. With fewer, more people's things are missing from what is learned from at a time."""
SEED = 13


def judge_further(
    trials: Sequence[Trial], whole: Interactions, scale: Scale, say: Say
) -> list[Trial]:
    """The trials that may be the best, judged by everybody who can be.

    Args:
        trials: all, judged in the first round.
        whole: what that round split.
        scale: of the ratings.
        say: is told what each algorithm has now.

    Returns:
        Of each algorithm that may be the best, all that could be judged in every round; their
        figures begin with those of the first. Where enough were judged, or half of those who
        could be, all as they are.
    """
    several = int((np.diff(whole.indptr) > 1).sum())
    if len(trials[0].ndcg) >= min(ENOUGH, several / 2):
        return list(trials)
    rounds = list(_rounds(whole, scale))
    names = _in_reach(trials)
    rest = [trial for trial in trials if trial.recipe.algorithm in names]
    for number, split in enumerate(rounds, 1):
        rest = list(_added(rest, split, scale))
        best = best_of_each(rest)[0]
        say(
            f"validation, round {number + 1} of {len(rounds) + 1}: {len(best.ndcg):,} judged so"
            f" far; best {best.recipe.algorithm}: NDCG@20 {best.mean_ndcg:.4f}"
        )
    return rest


def _rounds(whole: Interactions, scale: Scale) -> Iterator[Split]:
    """Splits that judge everybody once who can be; none that judges nobody."""
    parts = np.random.default_rng(SEED).integers(PARTS, size=len(whole.users))
    for part in range(PARTS):
        split = split_some_users(whole, parts == part)
        if len(judged_rows(split, scale.liked)):
            yield split


def _in_reach(trials: Sequence[Trial]) -> set[str]:
    """The algorithms that may be the best by what was judged so far, and the baseline."""
    best, *others = best_of_each(list(trials))
    names = {trial.recipe.algorithm for trial in others if _may_gain(trial.ndcg - best.ndcg)}
    return names | {best.recipe.algorithm, BASELINE.algorithm}


def _may_gain(gains: NDArray[np.float64]) -> bool:
    return mean_figure(gains, np.random.default_rng(SEED)).high >= 0 if len(gains) else True


def _added(trials: Sequence[Trial], split: Split, scale: Scale) -> Iterator[Trial]:
    """The trials with what they are on one more split."""
    found = {trial.recipe: trial.ndcg for trial in _tried(trials, split, scale)}
    for trial in trials:
        if trial.recipe in found:
            yield Trial(trial.recipe, np.concatenate([trial.ndcg, found[trial.recipe]]))


def _tried(trials: Sequence[Trial], split: Split, scale: Scale) -> Iterator[Trial]:
    unheld = dict.fromkeys(replace(trial.recipe, holding=None) for trial in trials)
    yield from try_recipes(list(unheld), split, scale, lambda _: None)

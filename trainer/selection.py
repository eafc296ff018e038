"""Which recipe becomes the version, how good it is beside the others, and the gate's word on it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trainer import gate
from trainer.errors import UnsuitableDataError
from trainer.evaluation import Figure, judge_ranking, mean_figure
from trainer.interactions import Interactions, Scale
from trainer.split import Split, split_at_one_time, split_each_user
from trainer.trials import (
    BASELINE,
    Judgement,
    Recipe,
    Trial,
    best_of_each,
    judge_on_test,
    try_on_validation,
)

SEED = 20
"""Of the bootstrap and of the shuffled model; the algorithms have their own."""

Figures = dict[str, dict[str, float]]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Selection:
    """What was chosen on validation, how it and the others did on test, and the gate's word."""

    trials: list[Trial]
    """Each algorithm's best on validation, the chosen one first."""
    judgements: dict[str, Judgement]
    """Each of these on test, by algorithm."""
    live: Judgement | None
    """The live version's recipe on the same data; None when nothing is live."""
    verdict: gate.Verdict

    @property
    def chosen(self) -> Recipe:
        """What the version is made by."""
        return self.trials[0].recipe


def select(
    interactions: Interactions, live: Recipe | None, scale: Scale, rules: gate.Rules, say: Say
) -> Selection:
    """Choose on validation, score on test once, and ask the gate.

    The live version is judged by its recipe, fitted to the same training part as the others:
    the version itself may have learned from what is held out here.
    """
    split = split_each_user(interactions)
    trials = best_of_each(list(try_on_validation(split_each_user(split.training), scale, say)))
    judgements = {}
    for trial in trials:
        judgement = judge_on_test(trial.recipe, split, scale)
        judgements[trial.recipe.algorithm] = judgement
        say(f"test: {trial.recipe.algorithm}: NDCG@20 {judgement.ranking.mean_ndcg:.4f}")
    chosen = judgements[trials[0].recipe.algorithm]
    on_live = _judge_live(live, judgements, split, scale, say)
    evidence = gate.Evidence(
        candidate=chosen.ranking.ndcg,
        popularity=judgements[BASELINE.algorithm].ranking.ndcg,
        live=on_live.ranking.ndcg if on_live else None,
    )
    shuffled = replace(
        evidence,
        candidate=_shuffled_ndcg(chosen, split, scale),
        live=evidence.candidate if evidence.live is None else evidence.live,
    )
    verdict = gate.checked(
        gate.judge(evidence, rules, _random()), gate.judge(shuffled, rules, _random())
    )
    return Selection(trials, judgements, on_live, verdict)


def _judge_live(
    live: Recipe | None, judgements: dict[str, Judgement], split: Split, scale: Scale, say: Say
) -> Judgement | None:
    if live is None:
        return None
    same = judgements.get(live.algorithm)
    if same and same.recipe == live:
        return same
    try:
        return judge_on_test(live, split, scale)
    except UnsuitableDataError as error:
        say(f"test: the live version's recipe left out: {error}")
        return None


def _shuffled_ndcg(judgement: Judgement, split: Split, scale: Scale) -> NDArray[np.float64]:
    order = _random().permutation(len(split.training.movies))
    return judge_ranking(gate.ShuffledModel(judgement.model, order), split, scale.liked).ndcg


def _random() -> np.random.Generator:
    return np.random.default_rng(SEED)


def figures(selection: Selection) -> Figures:
    """Every figure of a selection by name, for the manifest.

    `ndcg20_`, `recall20_`, `validation_ndcg20_`, `rmse_` and `mae_` of each algorithm, the live
    recipe's NDCG, and the paired gains of the chosen one over popularity and over the live one.
    """
    found = {
        f"validation_ndcg20_{trial.recipe.algorithm}": {"value": trial.ndcg}
        for trial in selection.trials
    }
    for name, judgement in selection.judgements.items():
        found |= _figures_of(name, judgement)
    chosen = selection.judgements[selection.chosen.algorithm].ranking.ndcg
    popularity = selection.judgements[BASELINE.algorithm].ranking.ndcg
    found |= _mean("ndcg20_gain_over_popularity", chosen - popularity)
    if selection.live:
        live = selection.live.ranking.ndcg
        found |= _mean("ndcg20_live", live) | _mean("ndcg20_gain_over_live", chosen - live)
    return found | {"judged_users": {"value": len(chosen)}}


def _figures_of(name: str, judgement: Judgement) -> Figures:
    found = _mean(f"ndcg20_{name}", judgement.ranking.ndcg)
    found |= _mean(f"recall20_{name}", judgement.ranking.recall)
    if judgement.rating_error:
        found[f"rmse_{name}"] = {"value": judgement.rating_error.rmse}
        found[f"mae_{name}"] = {"value": judgement.rating_error.mae}
    return found


def _mean(name: str, values: NDArray[np.float64]) -> Figures:
    return {name: _stated(mean_figure(values, _random()))} if len(values) else {}


def _stated(figure: Figure) -> dict[str, float]:
    return {"value": figure.value, "low": figure.low, "high": figure.high}


def later_figures(interactions: Interactions, chosen: Recipe, scale: Scale) -> Figures:
    """The same, but for one cut in time: what people did later, by what everyone did before.

    `later_ndcg20` of the chosen recipe and `later_ndcg20_popularity` beside it.
    """
    split = split_at_one_time(interactions)
    found: Figures = {}
    for name, recipe in (("", chosen), (f"_{BASELINE.algorithm}", BASELINE)):
        with suppress(UnsuitableDataError):  # the earlier part alone may hold no rating
            ranking = judge_on_test(recipe, split, scale).ranking
            found |= _mean(f"later_ndcg20{name}", ranking.ndcg)
    return found

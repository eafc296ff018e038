"""Which recipe becomes the version, how good it is beside the others, and the gate's word on it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trainer import gate
from trainer.algorithms.algorithm import FittedModel, Rows
from trainer.breadth import breadth, heavy_users
from trainer.errors import UnsuitableDataError
from trainer.evaluation import (
    Figure,
    RankingFigures,
    judge_ranking,
    mean_figure,
    planted_places,
)
from trainer.interactions import Interactions, Scale
from trainer.models import ItemModel, Scores
from trainer.search import Budget, search
from trainer.split import HELD_OUT_ONE_IN, Split, plant, split_at_one_time, split_each_user
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
    split: Split
    """What they were fitted to and judged on."""
    verdict: gate.Verdict

    @property
    def chosen(self) -> Recipe:
        """What the version is made by."""
        return self.trials[0].recipe


@dataclass(frozen=True)
class Terms:
    """What a selection is held to."""

    scale: Scale
    rules: gate.Rules
    live: Recipe | None = None
    """How the live version was made; None when nothing is live."""
    alarms: Sequence[str] = ()
    """What is wrong with the data."""
    budget: Budget | None = None
    """For a search around the best of what is usually tried; None for no search."""


def select(interactions: Interactions, terms: Terms, say: Say) -> Selection:
    """Choose on validation, score on test once, and ask the gate.

    The live version is judged by its recipe, fitted to the same training part as the others:
    the version itself may have learned from what is held out here.
    """
    scale = terms.scale
    split = plant(split_each_user(interactions), _random())
    trials = _tried(split_each_user(split.training), terms, say)
    judgements = {}
    for trial in trials:
        judgement = judge_on_test(trial.recipe, split, scale)
        judgements[trial.recipe.algorithm] = judgement
        say(f"test: {trial.recipe.algorithm}: NDCG@20 {judgement.ranking.mean_ndcg:.4f}")
    chosen = judgements[trials[0].recipe.algorithm]
    on_live = _judge_live(terms.live, judgements, split, scale, say)
    evidence = replace(
        _evidence(chosen.model, chosen.ranking, split),
        popularity=judgements[BASELINE.algorithm].ranking.ndcg,
        live=on_live.ranking.ndcg if on_live else None,
        alarms=terms.alarms,
    )
    verdict = gate.checked(
        gate.judge(evidence, terms.rules, _random()),
        *(
            gate.judge(spoiled, terms.rules, _random())
            for spoiled in _spoiled(chosen.model, evidence, split, scale)
        ),
    )
    return Selection(trials, judgements, on_live, split, verdict)


def _tried(split: Split, terms: Terms, say: Say) -> list[Trial]:
    trials = best_of_each(list(try_on_validation(split, terms.scale, say)))
    if terms.budget:
        trials += search(trials[0], split, terms.scale, terms.budget, say)
    return best_of_each(trials)


def _evidence(model: FittedModel, ranking: RankingFigures, split: Split) -> gate.Evidence:
    return gate.Evidence(
        candidate=ranking.ndcg,
        popularity=np.zeros_like(ranking.ndcg),
        live=None,
        planted=planted_places(model, split),
        coverage=breadth(ranking, split.training).get("coverage20", 0.0),
    )


def _spoiled(
    model: FittedModel, evidence: gate.Evidence, split: Split, scale: Scale
) -> Iterator[gate.Evidence]:
    """Evidence on two models known to be bad, as if the chosen one were live if nothing is."""
    order = _random().permutation(len(split.training.movies))
    shown = split.test.matrix(np.ones(len(split.test), np.float32))
    live = evidence.candidate if evidence.live is None else evidence.live
    for bad in (gate.ShuffledModel(model, order), gate.LeakingModel(model, shown)):
        found = _evidence(bad, judge_ranking(bad, split, scale.liked), split)
        yield replace(found, popularity=evidence.popularity, live=live)


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


def _random() -> np.random.Generator:
    return np.random.default_rng(SEED)


def figures(selection: Selection) -> Figures:
    """Every figure of a selection by name, for the manifest.

    `ndcg20_`, `recall20_`, `map20_`, `coverage20_`, `gini20_`, `novelty20_`, `tail20_`,
    `validation_ndcg20_`, `rmse_` and `mae_` of each algorithm, the live recipe's NDCG, the
    paired gains of the chosen one over popularity and over the live one, and the chosen one's
    NDCG in each `segment_`.
    """
    found = {
        f"validation_ndcg20_{trial.recipe.algorithm}": {"value": trial.ndcg}
        for trial in selection.trials
    }
    for name, judgement in selection.judgements.items():
        found |= _figures_of(name, judgement, selection.split.training)
    chosen = selection.judgements[selection.chosen.algorithm].ranking.ndcg
    popularity = selection.judgements[BASELINE.algorithm].ranking.ndcg
    found |= _mean("ndcg20_gain_over_popularity", chosen - popularity)
    if selection.live:
        live = selection.live.ranking.ndcg
        found |= _mean("ndcg20_live", live) | _mean("ndcg20_gain_over_live", chosen - live)
    return found | _segments(selection) | {"judged_users": {"value": len(chosen)}}


def _segments(selection: Selection) -> Figures:
    ranking = selection.judgements[selection.chosen.algorithm].ranking
    training = selection.split.training
    heavy = heavy_users(ranking, training) if len(ranking.ndcg) else np.empty(0, np.bool_)
    return _mean("segment_ndcg20_heavy_users", ranking.ndcg[heavy]) | _mean(
        "segment_ndcg20_light_users", ranking.ndcg[~heavy]
    )


def _figures_of(name: str, judgement: Judgement, training: Interactions) -> Figures:
    found = _mean(f"ndcg20_{name}", judgement.ranking.ndcg)
    found |= _mean(f"recall20_{name}", judgement.ranking.recall)
    found |= _mean(f"map20_{name}", judgement.ranking.precision)
    for figure, value in breadth(judgement.ranking, training).items():
        found[f"{figure}_{name}"] = {"value": value}
    if judgement.rating_error:
        found[f"rmse_{name}"] = {"value": judgement.rating_error.rmse}
        found[f"mae_{name}"] = {"value": judgement.rating_error.mae}
    return found


def _mean(name: str, values: NDArray[np.float64]) -> Figures:
    return {name: _stated(mean_figure(values, _random()))} if len(values) else {}


def _stated(figure: Figure) -> dict[str, float]:
    return {"value": figure.value, "low": figure.low, "high": figure.high}


def new_user_figures(selection: Selection, scale: Scale) -> Figures:
    """`segment_ndcg20_new_users`: for people it never met, by folding their history in.

    A fifth of the users are taken out before the chosen recipe is fitted.
    """
    training = selection.split.training
    new = np.arange(len(training.users)) % HELD_OUT_ONE_IN == 0
    fitted_to = training.only(~new[training.rows()])
    try:
        model = selection.chosen.fit(fitted_to)
    except UnsuitableDataError:
        return {}
    strangers = replace(
        selection.split,
        training=training.only(new[training.rows()]),
        test=selection.split.test.only(new[selection.split.test.rows()]),
    )
    folded = FoldedIn(model.item_model, strangers.training)
    return _mean("segment_ndcg20_new_users", judge_ranking(folded, strangers, scale.liked).ndcg)


@dataclass(frozen=True)
class FoldedIn:
    """Scores everybody as somebody it never met, by their history."""

    item_model: ItemModel
    histories: Interactions

    def score(self, rows: Rows) -> Scores:
        """Fold in one after the other."""
        return np.vstack(
            [self.item_model.fold_in(*self.histories.histories(row)[1:]) for row in rows[:, None]]
        )


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

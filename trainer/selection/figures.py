"""Every figure that a manifest states: of each algorithm, and of the chosen one for whom."""

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trainer.algorithms.algorithm import Rows
from trainer.data.interactions import Interactions, Scale
from trainer.data.split import HELD_OUT_ONE_IN, split_at_one_time
from trainer.errors import UnsuitableDataError
from trainer.evaluation.beyond_accuracy import beyond_accuracy, heavy_users, popular_movies
from trainer.evaluation.metrics import Figure, judge_for_movies, judge_ranking, mean_figure
from trainer.selection.choice import SEED, Selection
from trainer.selection.trials import BASELINE, Judgement, Recipe, judge_on_test
from trainer.versions.item_models import ItemModel, Scores

Figures = dict[str, dict[str, float]]


def _random() -> np.random.Generator:
    return np.random.default_rng(SEED)


def figures(selection: Selection, liked: float) -> Figures:
    """Every figure of a selection by name, for the manifest.

    `ndcg20_`, `recall20_`, `map20_`, `coverage20_`, `gini20_`, `novelty20_`, `tail20_`,
    `validation_ndcg20_`, `rmse_` and `mae_` of each algorithm, the live recipe's NDCG, the
    paired gains of the chosen one over popularity and over the live one, and the chosen one's
    NDCG in each `segment_`: for heavy and light users, for popular movies and the long tail.
    """
    found = {
        f"validation_ndcg20_{trial.recipe.algorithm}": {"value": trial.mean_ndcg}
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
    found |= _segments_of_users(selection) | _segments_of_movies(selection, liked)
    return found | {"judged_users": {"value": len(chosen)}}


def _segments_of_users(selection: Selection) -> Figures:
    ranking = selection.judgements[selection.chosen.algorithm].ranking
    training = selection.split.training
    heavy = heavy_users(ranking, training) if len(ranking.ndcg) else np.empty(0, np.bool_)
    return _mean("segment_ndcg20_heavy_users", ranking.ndcg[heavy]) | _mean(
        "segment_ndcg20_light_users", ranking.ndcg[~heavy]
    )


def _segments_of_movies(selection: Selection, liked: float) -> Figures:
    """How well the same lists find what is popular, and what is not."""
    ranking = selection.judgements[selection.chosen.algorithm].ranking
    popular = popular_movies(selection.split.training)
    found: Figures = {}
    for name, movies in (("popular_movies", popular), ("long_tail_movies", ~popular)):
        judged = judge_for_movies(ranking, selection.split, liked, movies)
        found |= _mean(f"segment_ndcg20_{name}", judged.ndcg)
    return found


def _figures_of(name: str, judgement: Judgement, training: Interactions) -> Figures:
    found = _mean(f"ndcg20_{name}", judgement.ranking.ndcg)
    found |= _mean(f"recall20_{name}", judgement.ranking.recall)
    found |= _mean(f"map20_{name}", judgement.ranking.precision)
    for figure, value in beyond_accuracy(judgement.ranking, training).items():
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

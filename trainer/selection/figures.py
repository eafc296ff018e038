"""Every figure that a manifest states: of each algorithm, and of the chosen one for whom."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.data.interactions import Interactions, Liked, Scale
from trainer.data.split import split_at_one_time
from trainer.errors import UnsuitableDataError
from trainer.evaluation.beyond_accuracy import beyond_accuracy, heavy_users, popular_movies
from trainer.evaluation.metrics import (
    Calibration,
    Figure,
    hits_by_place,
    judge_for_movies,
    mean_figure,
)
from trainer.selection.choice import SEED, Selection
from trainer.selection.learning_curve import Point
from trainer.selection.trials import BASELINE, Judgement, Recipe, Trial, judge_on_test

Stated = dict[str, dict[str, float]]
"""Figures by name, each as a manifest states it."""


def _random() -> np.random.Generator:
    return np.random.default_rng(SEED)


def learning_figures(points: Sequence[Point]) -> Stated:
    """A learning curve's figures, by the number of interactions that were learned from."""
    return {str(point.interactions): _stated(point.ndcg20) for point in points}


def figures(selection: Selection, liked: Liked) -> dict[str, Any]:
    """Every figure of a selection, for the manifest; see `Figures`."""
    judgements, chosen = selection.judgements, selection.chosen.algorithm
    found: dict[str, Any] = {
        "algorithms": {
            trial.recipe.algorithm: {"validation_ndcg20": {"value": trial.mean_ndcg}}
            for trial in selection.trials
        },
        "choice": _choice(selection.trials),
        "live": _mean("ndcg20", selection.live.ranking.ndcg) if selection.live else {},
        "gains": _gains(selection),
        "segments": _segments_of_users(selection) | _segments_of_movies(selection, liked),
        "places": _places(selection, liked),
        "calibration": {
            name: _calibration(judgement.rating_error.calibration)
            for name, judgement in judgements.items()
            if judgement.rating_error
        },
        "judged_users": {"value": len(judgements[chosen].ranking.ndcg)},
    }
    for name, judgement in judgements.items():
        found["algorithms"][name] |= _figures_of(judgement, selection.split.training)
    return found


def _choice(trials: Sequence[Trial]) -> Stated:
    """How many judged on validation, and what the chosen one gained there over each other."""
    chosen, *others = trials
    found: Stated = {"judged_users": {"value": len(chosen.ndcg)}}
    for other in others:
        found |= _mean(f"over_{other.recipe.algorithm}", chosen.ndcg - other.ndcg)
    return found


def _gains(selection: Selection) -> Stated:
    """Of the chosen one, for the same users, over what it has to be better than."""
    chosen = selection.judgements[selection.chosen.algorithm].ranking.ndcg
    popularity = selection.judgements[BASELINE.algorithm].ranking.ndcg
    found = _mean("over_popularity", chosen - popularity)
    if selection.live:
        found |= _mean("over_live", chosen - selection.live.ranking.ndcg)
    return found


def _segments_of_users(selection: Selection) -> Stated:
    ranking = selection.judgements[selection.chosen.algorithm].ranking
    training = selection.split.training
    heavy = heavy_users(ranking, training) if len(ranking.ndcg) else np.empty(0, np.bool_)
    return _mean("heavy_users", ranking.ndcg[heavy]) | _mean("light_users", ranking.ndcg[~heavy])


def _segments_of_movies(selection: Selection, liked: Liked) -> Stated:
    """How well the same lists find what is popular, and what is not."""
    ranking = selection.judgements[selection.chosen.algorithm].ranking
    popular = popular_movies(selection.split.training)
    found: Stated = {}
    for name, movies in (("popular_movies", popular), ("long_tail_movies", ~popular)):
        judged = judge_for_movies(ranking, selection.split, liked, movies)
        found |= _mean(name, judged.ndcg)
    return found


def _places(selection: Selection, liked: Liked) -> Stated:
    """By place in the lists, the share of people who liked, or met, what stood there."""
    ranking = selection.judgements[selection.chosen.algorithm].ranking
    liking = hits_by_place(ranking, selection.split, liked)
    meeting = hits_by_place(ranking, selection.split)
    return {
        str(place): {"value": float(share), "met": float(met)}
        for place, (share, met) in enumerate(zip(liking, meeting, strict=True), 1)
    }


def _calibration(groups: Sequence[Calibration]) -> Stated:
    """What was predicted and given, by group, the lowest predictions first."""
    return {
        str(number): {"predicted": group.predicted, **_stated(group.given)}
        for number, group in enumerate(groups, 1)
    }


def _figures_of(judgement: Judgement, training: Interactions) -> Stated:
    found = _mean("ndcg20", judgement.ranking.ndcg)
    found |= _mean("recall20", judgement.ranking.recall)
    found |= _mean("map20", judgement.ranking.precision)
    for figure, value in beyond_accuracy(judgement.ranking, training).items():
        found[figure] = {"value": value}
    if judgement.rating_error:
        found["rmse"] = {"value": judgement.rating_error.rmse}
        found["mae"] = {"value": judgement.rating_error.mae}
    return found


def _mean(name: str, values: NDArray[np.float64]) -> Stated:
    return {name: _stated(mean_figure(values, _random()))} if len(values) else {}


def _stated(figure: Figure) -> dict[str, float]:
    return {"value": figure.value, "low": figure.low, "high": figure.high}


def later_figures(interactions: Interactions, chosen: Recipe, scale: Scale) -> Stated:
    """NDCG by one cut in time: what people did later, by what everyone did before.

    `chosen`, and `popularity` beside it.
    """
    split = split_at_one_time(interactions, scale.liked)
    found: Stated = {}
    for name, recipe in (("chosen", chosen), (BASELINE.algorithm, BASELINE)):
        with suppress(UnsuitableDataError):  # the earlier part alone may hold no rating
            found |= _mean(name, judge_on_test(recipe, split, scale).ranking.ndcg)
    return found

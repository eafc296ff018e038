"""What people get whom the model never met: judged by how many things they did before they ask.

A fifth of the people are taken out before the chosen recipe is fitted. Of each, the first few
things are folded in, and what they liked later is to be found; beside that stands what is
popular among the others. The order in which sources are asked follows from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.algorithms.algorithm import FittedModel, Rows
from trainer.algorithms.holding import folded_in
from trainer.algorithms.popularity import FittedPopularity
from trainer.data.interactions import Interactions
from trainer.data.split import HELD_OUT_ONE_IN, Split
from trainer.errors import UnsuitableDataError
from trainer.evaluation.metrics import Figure, judge_ranking, mean_figure
from trainer.selection.trials import Recipe
from trainer.versions.item_models.item_model import ItemModel, Scores
from trainer.versions.item_models.popularity import PopularityModel
from trainer.versions.manifest import SOURCES

EVENTS = (1, 2, 3, 5, 10)
"""After so many things done, newcomers are judged."""
ASKED = 2_000
"""People who are judged after each number of things, at most: each is folded in by itself."""
SEED = 20

NON_PERSONAL = SOURCES["0"]
PERSONAL = ["model", "fold_in"]


@dataclass(frozen=True)
class Newcomers:
    """How well people were served after so many events, by the same people for both sources."""

    fold_in: NDArray[np.float64]
    """float64 [judged people]: NDCG@20 of the model, as the next of what is popular."""
    popular: NDArray[np.float64]

    def figures(self) -> dict[str, dict[str, float]]:
        """Both, and the gain of the first over the second, as a manifest states them."""
        named = {"fold_in": self.fold_in, "popular": self.popular}
        named["gain"] = self.fold_in - self.popular
        return {name: _stated(values) for name, values in named.items()}


def judge_newcomers(recipe: Recipe, known: Interactions, liked: float) -> dict[int, Newcomers]:
    """Judge a recipe for newcomers, by the number of things they did; without any, none.

    Args:
        recipe: fitted to four fifths of the people.
        known: what may be learned from; the test part is not in it.
        liked: from this rating on a later movie is relevant.
    """
    new = np.arange(len(known.users)) % HELD_OUT_ONE_IN == 0
    others = known.only(~new[known.rows()])
    try:
        model = recipe.fit(others)
    except UnsuitableDataError:
        return {}
    popular = FittedPopularity(PopularityModel(recipe.popularity.popular(others)))
    strangers = known.only(new[known.rows()])
    found = {}
    for number in EVENTS:
        split = _after(strangers, number)
        judged = judge_ranking(FoldedIn(model, split.training), split, liked)
        if len(judged.ndcg):
            found[number] = Newcomers(judged.ndcg, judge_ranking(popular, split, liked).ndcg)
    return found


def sources(judged: Mapping[int, Newcomers]) -> dict[str, list[str]]:
    """From so many events of somebody on, where a list comes from, in the order to ask.

    The model has its word from the first number on from which it is expected to do better than
    what is popular for every number that was judged. Where nobody could be judged, at once.
    """
    helps = {number: each.fold_in.mean() >= each.popular.mean() for number, each in judged.items()}
    worse = [number for number, better in helps.items() if not better]
    later = [number for number in helps if number > max(worse, default=0)]
    begin = min(later) if later else (max(worse) + 1 if worse else 1)
    return {"0": NON_PERSONAL, str(begin): [*PERSONAL, *NON_PERSONAL]}


def _after(interactions: Interactions, number: int) -> Split:
    """The first things of those who did more, some of them drawn, and all they did later."""
    able = np.flatnonzero(np.diff(interactions.indptr) > number)
    drawn = np.random.default_rng(SEED).permutation(able)[:ASKED]
    rows = interactions.rows()
    mine = np.isin(rows, drawn)
    first = np.arange(len(interactions)) - interactions.indptr[rows] < number
    return Split(interactions.only(mine & first), interactions.only(mine & ~first))


def _stated(values: NDArray[np.float64]) -> dict[str, float]:
    figure: Figure = mean_figure(values, np.random.default_rng(SEED))
    return {"value": figure.value, "low": figure.low, "high": figure.high}


@dataclass(frozen=True)
class FoldedIn:
    """Scores everybody as somebody it never met, by their history."""

    model: FittedModel
    histories: Interactions

    @property
    def item_model(self) -> ItemModel:
        """That of the model."""
        return self.model.item_model

    def score(self, rows: Rows) -> Scores:
        """Fold in one after the other."""
        return np.vstack(
            [folded_in(self.model, *self.histories.histories(row)[1:]) for row in rows[:, None]]
        )

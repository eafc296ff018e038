"""What people get whom the model never met: judged by how many things they did before they ask.

A fifth of the people are taken out before the chosen recipe is fitted. Of each, the first few
things are known, and what they liked later is to be found: by folding these in, by what people
of their kind know, by what was trending when they asked, and by what is popular ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Self

import numpy as np
from numpy.typing import NDArray

from trainer.algorithms.algorithm import FittedModel, Rows
from trainer.algorithms.held import fold_in
from trainer.algorithms.popularity import FittedPopularity
from trainer.data.interactions import Interactions, Liked
from trainer.data.likes import FEW
from trainer.data.split import HELD_OUT_ONE_IN, Split
from trainer.errors import UnsuitableDataError
from trainer.evaluation.metrics import Figure, judge_ranking, judged_rows, mean_figure
from trainer.selection.impersonal import OfTheirKind, Trending
from trainer.selection.trials import Recipe
from trainer.versions.item_models.item_model import ItemModel, Scores
from trainer.versions.item_models.popularity import PopularityModel

EVENTS = (0, 1, 2, 3, 5, 10)
"""After so many things done, newcomers are judged."""
ASKED = 2_000
"""People who are judged after each number of things, at most."""
SEED = 20
PLAIN = "counts"
"""What is popular where nothing but the number of people counts: no source, but a yardstick."""


@dataclass(frozen=True)
class JudgedSources:
    """How well some people were served after so many things done, by each source."""

    ndcg: Mapping[str, NDArray[np.float64]]
    """By source, float64 [people]: NDCG@20; NaN for whom it has nothing to say."""

    def __len__(self) -> int:
        """How many people were judged."""
        return len(self.ndcg[PLAIN])

    def served(self, order: Sequence[str]) -> NDArray[np.float64]:
        """float64 [people]: what they get by the first source that has something to say."""
        found = np.full(len(self), np.nan)
        for source in order:
            found = np.where(np.isnan(found), self.ndcg.get(source, np.nan), found)
        return found

    def gain(self, source: str, over: Sequence[str]) -> Figure | None:
        """What a source adds for whom it has something to say, over others in their order."""
        gains = self.served([source]) - self.served(over)
        known = gains[~np.isnan(gains)]
        return mean_figure(known, np.random.default_rng(SEED)) if len(known) else None

    def chance(self, source: str, over: Sequence[str]) -> float | None:
        """How likely as large a gain would be by chance; None where it says nothing of anybody."""
        gains = self.served([source]) - self.served(over)
        known = gains[~np.isnan(gains)]
        if not len(known):
            return None
        error = known.std() / np.sqrt(len(known))
        return NormalDist().cdf(-known.mean() / error) if error else float(known.mean() <= 0)


@dataclass(frozen=True)
class ImpersonalSources:
    """Every source that asks for nothing of what somebody did, fitted to the others once."""

    plain: FittedPopularity
    popular: FittedPopularity
    trending: Trending
    people: OfTheirKind | None
    """None where nothing is known of anybody."""

    @classmethod
    def fit(cls, others: Interactions, popular: Rows) -> Self:
        """Count what they did; `popular` has every item, the most popular first."""
        return cls(
            FittedPopularity(PopularityModel(others.popular())),
            FittedPopularity(PopularityModel(popular)),
            Trending.fit(others, popular),
            OfTheirKind.fit(others, popular) if others.groups.known.any() else None,
        )

    def judged(self, split: Split, liked: Liked, rows: Rows) -> dict[str, NDArray[np.float64]]:
        """By source, float64 [n]: what it is for some people of whom a part of a split is known."""

        def ndcg(source: FittedModel) -> NDArray[np.float64]:
            return judge_ranking(source, split, liked, rows).ndcg

        found = {
            PLAIN: ndcg(self.plain),
            "popular": ndcg(self.popular),
            "lately": ndcg(self.trending.asked_at(_asked(split))),
        }
        if self.people:
            known = split.training.groups.known[rows]
            found["people"] = np.where(known, ndcg(self.people), np.nan)
        return found


def judge_newcomers(recipe: Recipe, known: Interactions, liked: Liked) -> dict[int, JudgedSources]:
    """Judge every source for newcomers, by the number of things they did; without any, none.

    Another fifth of the people are newcomers after the first, until no number has few judged.

    Args:
        recipe: fitted to four fifths of the people.
        known: what may be learned from; the test part is not in it.
        liked: a later movie that was liked is relevant.
    """
    found: dict[int, list[JudgedSources]] = {}
    for fifth in range(HELD_OUT_ONE_IN):
        for number, newcomers in _judge_a_fifth(recipe, known, liked, fifth).items():
            found.setdefault(number, []).append(newcomers)
        if all(sum(map(len, found.get(number, []))) >= FEW for number in EVENTS):
            break
    return {number: together(found[number]) for number in EVENTS if number in found}


def _judge_a_fifth(
    recipe: Recipe, known: Interactions, liked: Liked, fifth: int
) -> dict[int, JudgedSources]:
    new = np.arange(len(known.users)) % HELD_OUT_ONE_IN == fifth
    others = known.only(~new[known.rows()])
    if not len(others):
        return {}
    try:
        model = recipe.fit(others)
    except UnsuitableDataError:
        return {}
    strangers = known.only(new[known.rows()])
    splits = {number: _after(strangers, number, liked) for number in EVENTS}
    impersonal = ImpersonalSources.fit(others, recipe.popularity.popular(others))
    return {
        number: _judged(model, impersonal, split, liked, rows)
        for number, split in splits.items()
        if len(rows := judged_rows(split, liked, known=number > 0))
    }


def _judged(
    model: FittedModel, impersonal: ImpersonalSources, split: Split, liked: Liked, rows: Rows
) -> JudgedSources:
    """What each source is for newcomers of whom the first part of a split is known."""
    found = impersonal.judged(split, liked, rows)
    if len(split.training):
        folded_in = FoldedIn(model, split.training)
        found["fold_in"] = judge_ranking(folded_in, split, liked, rows).ndcg
    return JudgedSources(found)


def together(some: Sequence[JudgedSources]) -> JudgedSources:
    """As if all had been judged at once."""
    names = dict.fromkeys(name for newcomers in some for name in newcomers.ndcg)
    return JudgedSources(
        {name: np.concatenate([newcomers.served([name]) for newcomers in some]) for name in names}
    )


def _after(interactions: Interactions, number: int, liked: Liked) -> Split:
    """The first things of those who liked something later, some of them drawn, and all later."""
    rows = interactions.rows()
    first = np.arange(len(interactions)) - interactions.indptr[rows] < number
    able = np.unique(rows[~first & liked(interactions.ratings)])
    drawn = np.random.default_rng(SEED).permutation(able)[:ASKED]
    mine = np.isin(rows, drawn)
    return Split(interactions.only(mine & first), interactions.only(mine & ~first))


def _asked(split: Split) -> NDArray[np.int64]:
    """int64 [users]: when each does the first of what is to be found; 0 who does nothing."""
    starts, later = split.test.indptr[:-1], split.test.times
    does = np.diff(split.test.indptr) > 0
    return np.where(does, np.append(later, 0)[np.where(does, starts, -1)], 0)


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
        """Fold them in."""
        return fold_in(self.model, *self.histories.histories(rows))

"""Lists that ask for nothing of what somebody did, as models that can be judged like others.

They say what a slot would have said: of people of a kind, what such people know (see
`recommender.answers.demographics`); at a time, what was trending (see
`recommender.activity.trending`). What they leave open is filled up with what is popular.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from trainer.algorithms.algorithm import Rows
from trainer.data.interactions import Interactions
from trainer.versions.item_models.item_model import Scores
from trainer.versions.item_models.popularity import PopularityModel
from trainer.versions.sources import ENOUGH_PEOPLE, HALF_LIFE, usual_shares

CUTS = 200
"""Times at which counts are kept: what is between two of them is counted when it is asked for."""
HALF_LIFE_US = HALF_LIFE.total_seconds() * 1e6


@dataclass(frozen=True)
class OfTheirKind:
    """How usual each movie is among people of the same age and gender, times of the same work."""

    item_model: PopularityModel
    by_age: NDArray[np.float64]
    """float64 [groups, items], as the next."""
    by_occupation: NDArray[np.float64]
    ages: NDArray[np.int32]
    """int32 [users], as the next; see `DemographicGroups`."""
    occupations: NDArray[np.int32]

    @classmethod
    def fit(cls, others: Interactions, popular_items: Rows) -> Self:
        """Count what those know of whom anything is known, and how many know each in all."""
        kinds = others.groups
        met = np.diff(others.indptr) > 0
        by_age, by_occupation = (
            usual_shares(_known(others, np.where(met, group, -2), int(group.max(initial=-1)) + 1))
            for group in (kinds.ages, kinds.occupations)
        )
        model = PopularityModel(popular_items)
        return cls(model, by_age, by_occupation, kinds.ages, kinds.occupations)

    def score(self, rows: Rows) -> Scores:
        """float32 [n, items]; of people of whom nothing is known, it says nothing."""
        shares = self.by_age[self.ages[rows]] * self.by_occupation[self.occupations[rows]]
        return np.where(self.ages[rows, None] >= 0, shares, 0).astype(np.float32)


def _known(
    interactions: Interactions, group: NDArray[np.int32], groups: int
) -> NDArray[np.float64]:
    """float64 [groups + 1, 1 + items], as `usual_shares` asks for it.

    Args:
        interactions: who met what.
        group: int32 [users]: -1 for who is in none, -2 for who does not count.
        groups: how many there are, those included of which nobody counts.
    """
    items = len(interactions.movies)
    places = np.where(group == -1, groups, group)
    sizes = np.bincount(places[places >= 0], minlength=groups + 1)
    of_each = places[interactions.rows()].astype(np.int64) * items + interactions.items
    counts = np.bincount(of_each, minlength=(groups + 1) * items)
    return np.column_stack([sizes, counts.reshape(groups + 1, items)]).astype(np.float64)


@dataclass(frozen=True)
class Trending:
    """What was trending when somebody asked."""

    item_model: PopularityModel
    times: NDArray[np.int64]
    """int64 [interactions], ascending."""
    items: NDArray[np.int32]
    """int32 [interactions], in that order."""
    counts: NDArray[np.float64]
    """float64 [cuts, items]: how many met each before a cut, discounted by age at the last."""
    cuts: NDArray[np.int64]
    """int64 [cuts]: places in `times`, ascending from 0."""
    asked: NDArray[np.int64]
    """int64 [users]: when each asks; by default at the end."""

    def asked_at(self, times: NDArray[np.int64]) -> Self:
        """The same, asked by each user (int64 [users]) at a time."""
        return replace(self, asked=times)

    @classmethod
    def fit(cls, others: Interactions, popular_items: Rows) -> Self:
        """Count up to some times, to go on from there; `others` did one thing at least."""
        order = np.argsort(others.times, kind="stable")
        times, items, size = others.times[order], others.items[order], len(popular_items)
        cuts = np.arange(0, len(times), len(times) // CUTS + 1)
        counts = np.zeros((len(cuts), size))
        for cut, (start, end) in enumerate(pairwise(cuts.tolist()), 1):
            counts[cut] = counts[cut - 1] * _left(times[max(start, 1) - 1], times[end - 1])
            counts[cut] += _discounted(items[start:end], times[start:end], times[end - 1], size)
        return cls(
            PopularityModel(popular_items),
            times,
            items,
            counts,
            cuts,
            np.full(len(others.users), times[-1]),
        )

    def score(self, rows: Rows) -> Scores:
        """float32 [n, items]: what is trending above the rest, that as it is popular ever."""
        ever = np.empty(len(self.item_model.popular), np.float32)
        ever[self.item_model.popular] = np.linspace(1, 0, len(ever), endpoint=False)
        trending = np.stack([self._at(at) for at in self.asked[rows]])
        return np.where(trending >= ENOUGH_PEOPLE, 1 + trending, ever).astype(np.float32)

    def _at(self, at: np.int64) -> NDArray[np.float64]:
        """float64 [items]: how many met each before this time, discounted by age."""
        end = int(np.searchsorted(self.times, at))
        cut = int(np.searchsorted(self.cuts, end, side="right")) - 1
        since = slice(int(self.cuts[cut]), end)
        size = self.counts.shape[1]
        counted = self.counts[cut] * _left(self.times[max(since.start, 1) - 1], at)
        counted += _discounted(self.items[since], self.times[since], at, size)
        return np.asarray(counted, np.float64)


def _left(before: np.int64, at: np.int64) -> float:
    """What is left at a time of what counted 1 before."""
    return float(2.0 ** (min(0, int(before) - int(at)) / HALF_LIFE_US))


def _discounted(
    items: NDArray[np.int32], times: NDArray[np.int64], at: np.int64, size: int
) -> NDArray[np.float64]:
    """float64 [items]: how many met each, by how long ago."""
    counted: NDArray[np.float64] = np.bincount(items, 2.0 ** ((times - at) / HALF_LIFE_US), size)
    return counted

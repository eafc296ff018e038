"""Rankers that read a user's history in its order: what was liked lately counts more.

`recency_ease` is EASE (see there) asked with such a history, with closeness in release year
and genre. `recency_transitions` adds which movies usually come some steps after which: in a
stream of people who go through lists, or series, this tells more than what goes with what.
The learned weights are EASE's own, found from the whole histories.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trainer.algorithms.algorithm import Rows
from trainer.algorithms.ease import largest_weights
from trainer.algorithms.suggestions import Suggestions, suggested
from trainer.data.interactions import Catalogue, Interactions, Scale
from trainer.versions.item_models.history import (
    Blend,
    HistoryModel,
    Recency,
    preferences,
    smoothed_years,
)
from trainer.versions.item_models.item_model import Scores

STEPS = 30
"""How many steps apart two movies of a history may be for a transition."""
COUNTED = 3_000_000
"""Interactions whose transitions are counted, `STEPS` of each: of more, those of some users."""
SEED = 20


@dataclass(frozen=True)
class HistoryConfiguration:
    """How the history rankers are fitted; what an interaction counts is on the stream's scale."""

    regularisation: float
    """EASE's λ."""
    midpoint: float
    mean_share: float
    """Ratings above midpoint + mean_share * (the user's mean) speak for a movie."""
    watched_preference: float
    """What a viewing without a rating counts, as a distance above that."""
    liked: float
    """A transition to a movie rated below it counts `disliked_share`."""
    viewings_liked: bool = False
    """Whether a viewing without a rating is a like that trees learn to find."""
    transitions_weight: float = 0.0
    years_weight: float = 0.0
    genres_weight: float = 0.0
    recency_steps: float = 6.0
    recency_floor: float = 0.17
    popularity_in: float = 0.05
    """Movies with n interactions speak n to this power more loudly,"""
    popularity_out: float = 0.12
    """and are recommended n to this power less."""
    transition_steps: float = 15.0
    """A transition over so many steps counts 1/e."""
    transition_damping: float = 0.8
    """Transitions from a movie are divided by its interactions to this power."""
    disliked_share: float = 0.6
    kept_weights: int = 256
    """How many weights, and how many transitions, are kept, on average for each movie."""

    @property
    def blend(self) -> Blend:
        """The weights of transitions, years and genres beside similarity."""
        return Blend(self.transitions_weight, self.years_weight, self.genres_weight)


@dataclass(frozen=True)
class FittedHistory:
    """The model, and the histories it was fitted to."""

    configuration: HistoryConfiguration
    item_model: HistoryModel
    interactions: Interactions

    def score(self, rows: Rows) -> Scores:
        """As anybody with these histories is scored."""
        return self.item_model.score(*self.interactions.histories(rows))

    def reused(self, configuration: HistoryConfiguration) -> Self | None:
        """The same matrices, blended otherwise; None where more than that differs."""
        if _unblended(self.configuration) != _unblended(configuration):
            return None
        if configuration.transitions_weight and not self.item_model.transitions.nnz:
            return None
        model = replace(self.item_model, blend=configuration.blend)
        return replace(self, configuration=configuration, item_model=model)


def _unblended(configuration: HistoryConfiguration) -> HistoryConfiguration:
    return replace(configuration, transitions_weight=0, years_weight=0, genres_weight=0)


def _configuration(scale: Scale, strength: float, blend: Blend) -> HistoryConfiguration:
    unit = scale.highest - scale.midpoint
    return HistoryConfiguration(
        regularisation=strength * unit**2,
        midpoint=0.72 * scale.midpoint,
        mean_share=0.3,
        watched_preference=scale.watched_preference,
        liked=scale.liked.rating,
        viewings_liked=scale.viewings_liked,
        transitions_weight=blend.transitions,
        years_weight=blend.years,
        genres_weight=blend.genres,
    )


SIDES = Blend(transitions=0, years=0.4, genres=0.7)
"""What release years and genres usually add."""


def _suggested(trial: Suggestions, usual: HistoryConfiguration) -> HistoryConfiguration:
    steps = {"transitions_weight": (0.1, 3.0), "transition_steps": (3.0, 60.0)}
    return suggested(
        trial,
        usual,
        regularisation=(usual.regularisation / 5, usual.regularisation * 5),
        years_weight=(0.05, 1.5),
        genres_weight=(0.05, 2.0),
        recency_steps=(2.0, 30.0),
        recency_floor=(0.03, 0.9),
        **steps if usual.transitions_weight else {},
    )


class RecencyEase:
    """Fits EASE's weights, and tastes in years and genres."""

    name = "recency_ease"

    def candidates(self, scale: Scale) -> Sequence[HistoryConfiguration]:
        """Two strengths of λ; of the first also without years and genres."""
        blends = ((96, SIDES), (96, Blend(0, 0, 0)), (300, SIDES))
        return [_configuration(scale, strength, blend) for strength, blend in blends]

    def configure(self, **parameters: Any) -> HistoryConfiguration:
        """The configuration that a version's parameters say."""
        return HistoryConfiguration(**parameters)

    def suggest(self, trial: Suggestions, usual: HistoryConfiguration) -> HistoryConfiguration:
        """Around a usual one: λ, how fast the past fades, and the blend."""
        return _suggested(trial, usual)

    def fit(self, interactions: Interactions, configuration: HistoryConfiguration) -> FittedHistory:
        """Solve for EASE's weights, count transitions, and place years and genres."""
        size = len(interactions.movies)
        liked = preferences(
            interactions.indptr,
            interactions.ratings,
            configuration.midpoint,
            configuration.mean_share,
            configuration.watched_preference,
        )
        counts = np.maximum(1.0, interactions.counts())
        louder = (counts**configuration.popularity_in).astype(np.float32)
        matrix = interactions.matrix(liked * louder[interactions.items])
        matrix.eliminate_zeros()
        weights = largest_weights(matrix, configuration.regularisation, configuration.kept_weights)
        quieter = (counts**-configuration.popularity_out).astype(np.float32)
        scaled = sparse.diags_array(louder) @ weights @ sparse.diags_array(quieter)
        model = HistoryModel(
            liking=sparse.csr_array(scaled, dtype=np.float32),
            transitions=sparse.csr_array((size, size), dtype=np.float32),
            **_described(interactions),
            midpoint=configuration.midpoint,
            mean_share=configuration.mean_share,
            watched_preference=configuration.watched_preference,
            recency=Recency(configuration.recency_steps, configuration.recency_floor),
            blend=configuration.blend,
        )
        return FittedHistory(configuration, model, interactions)


class RecencyTransitions:
    """Fits as `RecencyEase` does, and counts what comes after what."""

    name = "recency_transitions"

    def candidates(self, scale: Scale) -> Sequence[HistoryConfiguration]:
        """Three weights of the transitions, nothing but them, and another strength of λ."""
        blends = (
            *((96, replace(SIDES, transitions=weight)) for weight in (1, 0.5, 0.25)),
            (96, Blend(1, 0, 0)),
            (300, replace(SIDES, transitions=1)),
        )
        return [_configuration(scale, strength, blend) for strength, blend in blends]

    def configure(self, **parameters: Any) -> HistoryConfiguration:
        """The configuration that a version's parameters say."""
        return HistoryConfiguration(**parameters)

    def suggest(self, trial: Suggestions, usual: HistoryConfiguration) -> HistoryConfiguration:
        """Around a usual one: λ, how fast the past fades, and the blend."""
        return _suggested(trial, usual)

    def fit(self, interactions: Interactions, configuration: HistoryConfiguration) -> FittedHistory:
        """Find the weights and count the transitions."""
        fitted = RecencyEase().fit(interactions, configuration)
        counted = _transitions(_counted(interactions), configuration)
        return replace(fitted, item_model=replace(fitted.item_model, transitions=counted))


def _counted(interactions: Interactions) -> Interactions:
    """Everything, or all that so many users did, drawn at random, that it can be counted."""
    if len(interactions) <= COUNTED:
        return interactions
    order = np.random.default_rng(SEED).permutation(len(interactions.users))
    lengths = np.diff(interactions.indptr)
    drawn = np.zeros(len(order), np.bool_)
    drawn[order[np.cumsum(lengths[order]) <= COUNTED]] = True
    return interactions.only(drawn[interactions.rows()])


def _transitions(
    interactions: Interactions, configuration: HistoryConfiguration
) -> sparse.csr_array:
    size = len(interactions.movies)
    total = sparse.csr_array((size, size), dtype=np.float32)
    for before, after, counts in _steps(interactions, configuration):
        total = total + sparse.csr_array((counts, (before, after)), shape=(size, size))
    usual = np.maximum(1.0, interactions.counts()) ** -configuration.transition_damping
    damped = sparse.csr_array(sparse.diags_array(usual.astype(np.float32)) @ total)
    return _largest(damped, configuration.kept_weights * size)


def _steps(
    interactions: Interactions, configuration: HistoryConfiguration
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]]:
    rows, items = interactions.rows(), interactions.items
    disliked = interactions.ratings < configuration.liked
    worth = np.where(disliked, configuration.disliked_share, 1).astype(np.float32)
    for step in range(1, min(STEPS, len(rows) - 1) + 1):
        same = rows[step:] == rows[:-step]
        decay = np.float32(np.exp(-(step - 1) / configuration.transition_steps))
        yield items[:-step][same], items[step:][same], decay * worth[step:][same]


def _largest(matrix: sparse.csr_array, kept: int) -> sparse.csr_array:
    if matrix.nnz > kept:
        cut = np.partition(matrix.data, matrix.nnz - kept)[matrix.nnz - kept]
        matrix.data[matrix.data < cut] = 0
        matrix.eliminate_zeros()
    return matrix


def _described(interactions: Interactions) -> dict[str, Any]:
    catalogue: Catalogue = interactions.catalogue
    known = catalogue.years > 0
    first = catalogue.years[known].min(initial=2000)
    places = np.where(known, catalogue.years - first, -1).astype(np.int16)
    counts = sparse.csr_array(interactions.counts()[None, known].astype(np.float32))
    lengths = np.sqrt(np.maximum(1, catalogue.genres.sum(axis=1, keepdims=True)))
    years = int(places.max(initial=0)) + 1
    return {
        "year_places": places,
        "year_shares": smoothed_years(counts, places[known], years)[0],
        "genres": (catalogue.genres / lengths).astype(np.float32),
    }

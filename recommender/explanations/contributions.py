"""What each of a user's own movies did to the scores of others, for each kind of model.

Exact for item weights: a score is the sum. For factors, exactly how far a score falls when
the movie is left out and the rest is fitted again. For histories, how far it falls without
the movie's own terms, with all else as it was.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trainer.versions.graph_filter import GraphFilterModel
from trainer.versions.item_models import (
    NOTHING,
    SHARE_FLOOR,
    YEAR_FLOOR,
    YEAR_REACH,
    AlsModel,
    FactorModel,
    HistoryModel,
    ImplicitFactorModel,
    ItemModel,
    Items,
    ItemWeightsModel,
    Ratings,
    preferences,
)
from trainer.versions.reranking import RerankedModel

Contributions = NDArray[np.float32]
"""float32 [own movies, targets]."""
Matrix = NDArray[np.floating]


def contributions(
    model: ItemModel, items: Items, ratings: Ratings, targets: Items
) -> Contributions:
    """What each of the user's own movies added to the score of each target.

    Args:
        model: what scored.
        items: int32 [n], the user's own movies, the latest last.
        ratings: float32 [n], on the stream's scale; NaN for watched but not rated.
        targets: int32 [m], the movies that were scored.

    Returns:
        float32 [n, m], on the model's own scale; nothing for a model that is the same for all.
    """
    match model:
        case ItemWeightsModel() | GraphFilterModel():
            return model.contributions(items, ratings, targets)
        case RerankedModel():
            return contributions(model.first, items, ratings, targets)
        case HistoryModel():
            return _by_own_terms(model, items, ratings, targets)
        case FactorModel():
            return _of_rated(model, items, ratings, targets)
        case AlsModel():
            return _by_confidence(model, items, ratings, targets)
        case _:
            return np.zeros((len(items), len(targets)), np.float32)


def how_exact(model: ItemModel) -> str:
    """How far contributions can be taken at their word."""
    match model:
        case ItemWeightsModel() | GraphFilterModel():
            return "exact: a score is the sum of what the user's movies contribute"
        case HistoryModel():
            return "by own terms: how far a score falls without the movie's; these do not add up"
        case RerankedModel():
            return "of the first stage, whose candidates trees put in order; these do not add up"
        case FactorModel() | AlsModel():
            return "by leaving out: how far a score falls without the movie; these do not add up"
        case _:
            return "none: this model ranks the same for everybody"


def _of_rated(model: FactorModel, items: Items, ratings: Ratings, targets: Items) -> Contributions:
    """These models go by ratings alone: what was only watched contributes nothing."""
    falls = np.zeros((len(items), len(targets)), np.float32)
    rated = ~np.isnan(ratings)
    if rated.any():
        falls[rated] = model.fold_in(items, ratings)[targets]
        falls[rated] -= _scores_without_each(model, items[rated], ratings[rated], targets)
    return falls


def _scores_without_each(
    model: FactorModel, items: Items, ratings: Ratings, targets: Items
) -> Matrix:
    """float64 [n, m]: the scores when one of the rated items is left out, each in turn."""
    others = max(1, len(items) - 1)
    factors, wanted = _with_bias(model.factors[items]), _with_bias(model.factors[targets])
    implied = _implied_without_each(model, items, others)
    residuals = ratings - model.offsets[items]
    left_out = residuals - np.einsum("nf,nf->n", implied, model.factors[items])
    normal = factors.T @ factors + model.regularisation * others * np.eye(factors.shape[1])
    pulls = factors.T @ residuals - implied @ (model.factors[items].T @ factors)
    users = np.linalg.solve(normal, (pulls - left_out[:, None] * factors).T).T
    users += _of_one_row_less(normal, factors, users)
    base = model.offsets[targets] + model.prior[targets] + implied @ model.factors[targets].T
    scores: Matrix = base + users @ wanted.T
    return scores


def _of_one_row_less(normal: Matrix, factors: Matrix, users: Matrix) -> Matrix:
    """float64 [n, factors]: what solutions change by when `normal` loses the row of each item.

    J. Sherman and W. J. Morrison, "Adjustment of an Inverse Matrix Corresponding to a Change
    in One Element of a Given Matrix", Annals of Mathematical Statistics, 1950.
    """
    solved = np.linalg.solve(normal, factors.T).T
    leverages = np.einsum("nf,nf->n", factors, solved)
    change: Matrix = solved * (np.einsum("nf,nf->n", factors, users) / (1 - leverages))[:, None]
    return change


def _implied_without_each(model: FactorModel, items: Items, others: int) -> Matrix:
    """float64 [n, factors]: what having rated the others adds to the user's factors."""
    if not isinstance(model, ImplicitFactorModel):
        return np.zeros((len(items), model.factors.shape[1]))
    implicit = model.implicit[items].astype(np.float64)
    implied: Matrix = (implicit.sum(axis=0) - implicit) / np.sqrt(others)
    return implied


def _with_bias(factors: NDArray[np.float32]) -> Matrix:
    return np.column_stack([np.ones(len(factors)), factors.astype(np.float64)])


def _by_confidence(
    model: AlsModel, items: Items, ratings: Ratings, targets: Items
) -> Contributions:
    """As `_of_one_row_less`, with the weights and targets of `AlsModel.fold_in`."""
    held = model.confidences(ratings).astype(np.float64)
    factors = model.factors[items].astype(np.float64) * (held > 0)[:, None]
    weights = np.where(held > 0, held - 1, 0)
    normal = model.products + (factors.T * weights) @ factors
    normal += model.regularisation * np.eye(len(normal))
    solved = np.linalg.solve(normal, factors.T)
    predicted = factors @ (solved @ held)
    leverages = np.einsum("nf,fn->n", factors, solved)
    falls = (held - weights * predicted) / (1 - weights * leverages)
    return np.asarray(falls[:, None] * (solved.T @ model.factors[targets].T), np.float32)


def _by_own_terms(
    model: HistoryModel, items: Items, ratings: Ratings, targets: Items
) -> Contributions:
    """Each part of `HistoryModel.score` with and without the terms of each item."""
    history = np.array([0, len(items)])
    falling = model.recency.weights(history)
    lasting = (1 - model.recency.floor) * falling + model.recency.floor
    liked = lasting * preferences(
        history, ratings, model.midpoint, model.mean_share, model.watched_preference
    )
    falls = _fall_of_share(model.liking[items], liked, targets)
    falls += model.blend.transitions * _fall_of_share(model.transitions[items], falling, targets)
    falls += model.blend.years * _fall_of_years(model, items, lasting, targets)
    falls += model.blend.genres * _fall_of_genres(model, items, lasting, targets)
    return np.asarray(falls, np.float32)


def _fall_of_share(rows: sparse.csr_array, weights: Matrix, targets: Items) -> Matrix:
    """float64 [n, m]: how far log(share + floor) falls without each of the weighted rows."""
    sums = weights @ rows
    mean = max(float(np.maximum(sums, 0).mean()), float(NOTHING))
    without = sums[targets] - weights[:, None] * rows[:, targets].toarray()

    def logs(values: Matrix) -> Matrix:
        return np.log(np.maximum(values, 0) / mean + SHARE_FLOOR)

    return np.asarray(logs(sums[targets]) - logs(without))


def _fall_of_years(model: HistoryModel, items: Items, weights: Matrix, targets: Items) -> Matrix:
    places, wanted = model.year_places[items], model.year_places[targets]
    apart = np.abs(np.subtract.outer(places, np.arange(len(model.year_shares))))
    near = (weights * (places >= 0))[:, None] * np.exp(-apart / YEAR_REACH)

    def logs(values: Matrix) -> Matrix:
        shares = values / np.maximum(values.sum(axis=-1, keepdims=True), NOTHING)
        return np.log(shares[..., wanted] + YEAR_FLOOR)

    falls = logs(near.sum(axis=0)) - logs(near.sum(axis=0) - near)
    return np.where(wanted >= 0, falls, 0)


def _fall_of_genres(model: HistoryModel, items: Items, weights: Matrix, targets: Items) -> Matrix:
    tastes = weights[:, None] * model.genres[items]

    def closeness(taste: Matrix) -> Matrix:
        lengths = np.maximum(np.linalg.norm(taste, axis=-1, keepdims=True), NOTHING)
        return np.asarray((taste / lengths) @ model.genres[targets].T)

    return closeness(tastes.sum(axis=0)) - closeness(tastes.sum(axis=0) - tastes)

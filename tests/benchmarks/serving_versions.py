"""Model versions of any size, drawn by chance and seeded: they cost what real ones cost."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from trainer.algorithms.movie_statistics import PERIODS
from trainer.versions.contents import Contents, SeenItems, TopLists
from trainer.versions.item_models.candidate_features import FEATURE_SET, MovieStatistics
from trainer.versions.item_models.history import Blend, HistoryModel, Recency
from trainer.versions.item_models.item_model import ItemModel
from trainer.versions.item_models.item_weights import ItemWeightsModel
from trainer.versions.item_models.reranked import RerankedModel
from trainer.versions.item_models.trees import Trees
from trainer.versions.manifest import Manifest
from trainer.versions.writer import write_version

VERSION, RERANKED = "20260101-000000-ease", "20260102-000000-boosted_trees"
MOVIES, LIST = 9_724, 100
WEIGHTS_A_MOVIE = 256
TREES, LEAVES, SOME_FEATURES = 200, 15, 20
YEARS, GENRES = 80, 20
HISTORY = {
    "midpoint": 1.0,
    "mean_share": 0.5,
    "watched_preference": 0.5,
    "recency_steps": 6.0,
    "recency_floor": 0.2,
    "transitions_weight": 1.0,
    "years_weight": 0.5,
    "genres_weight": 0.5,
}
SEEN = 50
"""Movies that each user met before the training."""


def publish(models: Path, users: int) -> None:
    """A version with MovieLens's catalogue and users 1, 2, 3, …."""
    chance = np.random.default_rng(0)
    parameters = {"midpoint": 2.5, "watched_preference": 0.5}
    model = ItemWeightsModel(_weights(chance), 2.5, 0.5)
    write_version(
        models / "versions", manifest(VERSION, "ease", parameters), _contents(chance, users, model)
    )


def publish_reranked(models: Path, users: int) -> None:
    """The same with a model that takes longest to rank anew: 400 candidates through 200 trees."""
    chance = np.random.default_rng(0)
    model = RerankedModel(_history_model(chance), _statistics(chance), _trees(chance), 400)
    parameters = {**HISTORY, "feature_set": FEATURE_SET, "reranked": 400}
    told = manifest(RERANKED, "boosted_trees", parameters)
    write_version(models / "versions", told, _contents(chance, users, model))


def _weights(chance: np.random.Generator) -> sparse.csr_array:
    return sparse.random_array(
        (MOVIES, MOVIES),
        density=WEIGHTS_A_MOVIE / MOVIES,
        format="csr",
        dtype=np.float32,
        rng=chance,
    )


def _history_model(chance: np.random.Generator) -> HistoryModel:
    genres = chance.random((MOVIES, GENRES), np.float32)
    return HistoryModel(
        liking=_weights(chance),
        transitions=_weights(chance),
        year_places=chance.integers(0, YEARS, MOVIES).astype(np.int16),
        year_shares=np.full(YEARS, 1 / YEARS, np.float32),
        genres=genres / np.linalg.norm(genres, axis=1, keepdims=True),
        midpoint=HISTORY["midpoint"],
        mean_share=HISTORY["mean_share"],
        watched_preference=HISTORY["watched_preference"],
        recency=Recency(HISTORY["recency_steps"], HISTORY["recency_floor"]),
        blend=Blend(1.0, 0.5, 0.5),
    )


def _statistics(chance: np.random.Generator) -> MovieStatistics:
    of_movies = [chance.random(MOVIES, np.float32) for _ in range(5)]
    ends = np.linspace(-1000, 0, PERIODS - 1)
    popularity = chance.random((PERIODS, MOVIES), np.float32)
    return MovieStatistics(*of_movies, ends=ends, popularity=popularity)


def _trees(chance: np.random.Generator) -> Trees:
    """Complete ones: node n has the children 2n + 1 and 2n + 2."""
    inner, nodes = LEAVES - 1, 2 * LEAVES - 1
    roots = np.arange(0, TREES * nodes, nodes, dtype=np.int32)
    own = np.arange(nodes)
    lefts = np.where(own < inner, 2 * own + 1, own)
    rights = np.where(own < inner, 2 * own + 2, own)
    return Trees(
        roots,
        chance.integers(0, SOME_FEATURES, TREES * nodes).astype(np.int32),
        chance.normal(size=TREES * nodes).astype(np.float32),
        (roots[:, None] + lefts).ravel().astype(np.int32),
        (roots[:, None] + rights).ravel().astype(np.int32),
        chance.normal(size=TREES * nodes),
    )


def _contents(chance: np.random.Generator, users: int, model: ItemModel) -> Contents:
    top, seen = _lists(chance, users)
    return Contents(
        movies=[f"a+movie+of+usual+length+{number}+1999" for number in range(MOVIES)],
        users=np.arange(1, users + 1),
        popular=chance.permutation(MOVIES).astype(np.int32),
        top=TopLists(top, np.ones(top.shape, np.float32)),
        seen=SeenItems(
            np.arange(0, (users + 1) * SEEN, SEEN),
            seen.ravel(),
            chance.integers(1, 6, seen.size).astype(np.float32),
        ),
        model=model,
    )


def _lists(
    chance: np.random.Generator, users: int
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.int32]], ...]:
    """Lists and seen movies that share none: 1,000 draws, in turn."""
    drawn = np.stack([chance.permutation(MOVIES)[: LIST + SEEN] for _ in range(1000)])
    rows = np.resize(np.arange(1000), users)
    top, seen = drawn[:, :LIST].astype(np.int32), np.sort(drawn[:, LIST:]).astype(np.int32)
    return top[rows], seen[rows]


def manifest(version: str, algorithm: str, parameters: Mapping[str, Any]) -> Manifest:
    """Of a version that only a benchmark serves."""
    return Manifest(
        version=version,
        algorithm=algorithm,
        parameters=parameters,
        created_at=datetime.now(UTC).isoformat(),
        data={"offsets": {}},
        code={},
        machine={},
        libraries={},
        figures={},
        gate={"verdict": "accepted", "reason": "a benchmark"},
    )

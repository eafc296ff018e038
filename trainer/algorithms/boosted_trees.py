"""Two stages: candidates by recency and transitions, put in order by gradient-boosted trees.

The trees learn from the past alone: each user's latest part of what is fitted to is held out,
then that of what is left, and so on; each time they are shown the candidates of a first stage
that was fitted to the rest, and which of them were liked next.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from trainer.algorithms.algorithm import Rows
from trainer.algorithms.history import (
    HistoryConfiguration,
    RecencyEase,
    RecencyTransitions,
)
from trainer.algorithms.movie_statistics import movie_statistics
from trainer.algorithms.suggestions import Suggestions, suggested
from trainer.data.interactions import Interactions, Liked, Scale
from trainer.data.split import Split, split_each_user
from trainer.errors import UnsuitableDataError
from trainer.versions.item_models.candidate_features import DAY, FEATURE_SET
from trainer.versions.item_models.item_model import Scores
from trainer.versions.item_models.reranked import RerankedModel
from trainer.versions.item_models.trees import Trees

HELD_OUT_TIMES = 3
"""How often the latest part is held out, each time of what is left."""
MOST_USERS = 2_000
"""Users that are learned from in each split: 400,000 candidates."""
LARGEST_CROWD = 100_000
"""Users that lists can be made for: putting one's candidates in order takes some 2 ms."""
USERS_AT_ONCE = 256
SEED = 20

GROWING = {
    "objective": "binary",
    "feature_fraction": 0.3,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "seed": SEED,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
"""With one thread and one seed the same data gives the same trees."""


@dataclass(frozen=True)
class BoostedTreesConfiguration(HistoryConfiguration):
    """How the first stage is fitted, and how trees are grown on it."""

    reranked: int = 200
    """How many candidates the trees put in order."""
    trees: int = 100
    learning_rate: float = 0.1
    leaves: int = 15
    smallest_leaf: int = 300
    """Candidates that a leaf has to be learned from."""
    feature_set: int = FEATURE_SET
    """Which features the trees ask for."""


@dataclass(frozen=True)
class FittedReranker:
    """The model, and the histories it was fitted to."""

    item_model: RerankedModel
    interactions: Interactions

    def score(self, rows: Rows) -> Scores:
        """As people with these histories are scored who ask right after their last interaction."""
        histories = self.interactions.histories(rows)
        return self.item_model.score(*histories, asked_days(self.interactions, rows))


def asked_days(interactions: Interactions, rows: Rows) -> NDArray[np.float64]:
    """float64 [n]: days from the latest interaction of all back to each user's; 0 without any."""
    ends = interactions.indptr[rows + 1]
    last = interactions.times[np.maximum(ends, 1) - 1]
    alone = ends == interactions.indptr[rows]
    return np.where(alone, 0, (last - interactions.times.max(initial=0)) / DAY)


class BoostedTrees:
    """Fits the first stage, and the trees to what it would have said earlier."""

    name = "boosted_trees"

    def candidates(self, scale: Scale) -> Sequence[BoostedTreesConfiguration]:
        """On the usual first stage; growing trees takes too long to try more."""
        usual = RecencyTransitions().candidates(scale)[0]
        return [BoostedTreesConfiguration(**asdict(usual))]

    def configure(self, **parameters: Any) -> BoostedTreesConfiguration:
        """The configuration that a version's parameters say."""
        return BoostedTreesConfiguration(**parameters)

    def suggest(
        self, trial: Suggestions, usual: BoostedTreesConfiguration
    ) -> BoostedTreesConfiguration:
        """Around a usual one: how many trees are grown, how fast and how large."""
        return suggested(
            trial,
            usual,
            trees=(50, 500),
            learning_rate=(0.01, 0.2),
            leaves=(7, 63),
            smallest_leaf=(50, 1000),
        )

    def fit(
        self, interactions: Interactions, configuration: BoostedTreesConfiguration
    ) -> FittedReranker:
        """Grow the trees on the past, then fit the first stage to everything.

        Raises:
            UnsuitableDataError: there are too many users, or nothing that could be learned
                from was liked.
        """
        if len(interactions.users) > LARGEST_CROWD:
            raise UnsuitableDataError(
                f"putting candidates in order is for at most {LARGEST_CROWD:,} users,"
                f" and these are {len(interactions.users):,}"
            )
        examples = list(_examples(interactions, configuration))
        if not examples:
            raise UnsuitableDataError("no candidate of any user was liked next: nothing to learn")
        model = _without_trees(interactions, configuration)
        return FittedReranker(replace(model, trees=_grown(examples, configuration)), interactions)


def _without_trees(
    interactions: Interactions, configuration: BoostedTreesConfiguration
) -> RerankedModel:
    algorithm = RecencyTransitions() if configuration.transitions_weight else RecencyEase()
    first = algorithm.fit(interactions, configuration).item_model
    liked = first.preferences(interactions.indptr, interactions.ratings)
    movies = movie_statistics(interactions, liked)
    return RerankedModel(first, movies, Trees.none(), configuration.reranked)


@dataclass(frozen=True)
class Examples:
    """Candidates of some users, and which of them they liked next."""

    shown: NDArray[np.float32]
    """float32 [users, candidates, features]."""
    base: Scores
    """float32 [users, candidates]: what the first stage said."""
    liked: NDArray[np.bool_]
    """bool [users, candidates]; one of each user's at least."""

    def offsets(self) -> NDArray[np.float64]:
        """float64 [users, candidates]: log-odds by the first stage alone, as many as were liked.

        What the trees learn is what is to be added to its scores; how much a user likes at all
        is taken out.
        """
        base = self.base - self.base.max(axis=1, keepdims=True)
        shares = np.log(np.exp(base).sum(axis=1, keepdims=True, dtype=np.float64))
        return np.asarray(base - shares + np.log(self.liked.sum(axis=1, keepdims=True)), np.float64)


def _examples(
    interactions: Interactions, configuration: BoostedTreesConfiguration
) -> Iterator[Examples]:
    left, liked = interactions, Liked(configuration.liked, configuration.viewings_liked)
    for _ in range(HELD_OUT_TIMES):
        split = split_each_user(left, liked)
        left = split.training
        yield from _shown(split, split.relevant(liked), configuration)


def _shown(
    split: Split, liked: Interactions, configuration: BoostedTreesConfiguration
) -> Iterator[Examples]:
    training = split.training
    learned_from = np.flatnonzero((np.diff(training.indptr) > 0) & (np.diff(liked.indptr) > 0))
    if len(learned_from) > MOST_USERS:
        learned_from = np.random.default_rng(SEED).choice(learned_from, MOST_USERS, replace=False)
    if not len(learned_from):
        return
    model = _without_trees(training, configuration)
    for rows in np.split(learned_from, range(USERS_AT_ONCE, len(learned_from), USERS_AT_ONCE)):
        yield from _of_users(model, training, liked, rows.astype(np.int32))


def _of_users(
    model: RerankedModel, training: Interactions, liked: Interactions, rows: Rows
) -> Iterator[Examples]:
    histories = training.histories(rows)
    scores = model.first.score(*histories)
    shown = model.shown(scores, *histories, asked_days(training, rows))
    wanted = liked.matrix(np.ones(len(liked), np.float32))[rows].toarray() > 0
    hits = np.take_along_axis(wanted, shown.candidates.astype(np.intp), axis=1)
    some = hits.any(axis=1)
    if some.any():
        yield Examples(shown.features[some], shown.base[some], hits[some])


def _grown(examples: Sequence[Examples], configuration: BoostedTreesConfiguration) -> Trees:
    width = examples[0].shown.shape[-1]
    data = lightgbm.Dataset(
        np.concatenate([each.shown.reshape(-1, width) for each in examples]),
        np.concatenate([each.liked.ravel() for each in examples]).astype(np.float32),
        init_score=np.concatenate([each.offsets().ravel() for each in examples]),
    )
    told = {
        "learning_rate": configuration.learning_rate,
        "num_leaves": configuration.leaves,
        "min_data_in_leaf": configuration.smallest_leaf,
    }
    booster = lightgbm.train(GROWING | told, data, num_boost_round=configuration.trees)
    return as_arrays(booster.dump_model()["tree_info"])


def as_arrays(grown: Sequence[Mapping[str, Any]]) -> Trees:
    """Trees as LightGBM dumps them, node by node."""
    nodes: list[tuple[int, float, int, int, float]] = []

    def put(node: Mapping[str, Any]) -> int:
        place = len(nodes)
        if "leaf_value" in node:
            nodes.append((0, np.inf, place, place, node["leaf_value"]))
            return place
        nodes.append((0, 0.0, 0, 0, 0.0))
        children = put(node["left_child"]), put(node["right_child"])
        nodes[place] = (node["split_feature"], node["threshold"], *children, 0.0)
        return place

    roots = [put(tree["tree_structure"]) for tree in grown]
    features, thresholds, lefts, rights, values = zip(*nodes, strict=True)
    return Trees(
        np.array(roots, np.int32),
        np.array(features, np.int32),
        _rounded_down(np.array(thresholds)),
        np.array(lefts, np.int32),
        np.array(rights, np.int32),
        np.array(values),
    )


def _rounded_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 up to each: features are float32, so the same ones are below it."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)

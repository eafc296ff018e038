"""How fast SVD and SVD++ are beside Surprise's own, and how well each algorithm ranks.

    python -m tests.benchmarks.trainer [--scale small|full]

small, on MovieLens small: fits take turns with those of Surprise, whose numbers they must
reach; rankings follow the protocol of `trainer.evaluation` (each user's latest fifth held out,
every movie competes), everything is chosen on validation and the test part is scored once.
tests.benchmarks.trainer_sparse adds trainings of three thinned streams. full adds trainings from
1, 10 and 30 million ratings in a database: tests.benchmarks.trainer_scale.
Writes build/bench/trainer.json.
"""

import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np
import surprise
import typer
from implicit.als import AlternatingLeastSquares
from scipy import sparse
from surprise import Dataset, Reader, Trainset
from threadpoolctl import threadpool_limits

from tests.benchmarks.movielens import SCALE, movielens
from tests.benchmarks.report import ROOT, Figures, measured_commit, progress, write
from tests.benchmarks.trainer_scale import scale_figures
from tests.benchmarks.trainer_sparse import sparse_figures
from trainer.algorithms.history import HistoryConfiguration
from trainer.algorithms.matrix_factorization import SVD, SVDpp
from trainer.data.interactions import Interactions
from trainer.data.split import Split, split_each_user
from trainer.evaluation.metrics import judge_ranking, mean_figure
from trainer.selection.choice import Selection, Terms, select
from trainer.selection.gate import Rules
from trainer.selection.trials import Recipe, judge_on_test

RUNS = 5
SLOW_RUNS = 3
"""Of Surprise's SVD++, which takes half a minute."""


def trainset(interactions: Interactions) -> Trainset:
    """The same ratings for Surprise, user by user in order of time."""
    users = interactions.users[interactions.rows()].tolist()
    movies = [interactions.movies[item] for item in interactions.items]
    rows = zip(users, movies, interactions.ratings.tolist(), strict=True)
    data = Dataset(Reader(rating_scale=(SCALE.lowest, SCALE.highest)))
    return data.construct_trainset([(*row, None) for row in rows])


def seconds[Result](work: Callable[[], Result]) -> tuple[float, Result]:
    """How long it took, and what came of it."""
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def beside_surprise(
    ours: type, theirs: type, data: Trainset, runs: int, **options: Any
) -> tuple[list[float], list[float], float]:
    """Fit in turn; seconds of each run, and the largest difference of what was learned."""
    our_seconds, their_seconds, difference = [], [], 0.0
    for run in range(runs):
        our_time, fitted = seconds(lambda: ours(random_state=0).fit(data))
        their_time, expected = seconds(lambda: theirs(random_state=0, **options).fit(data))
        our_seconds.append(our_time)
        their_seconds.append(their_time)
        difference = max(difference, furthest(fitted, expected))
        progress(f"{ours.__name__} run {run + 1}: {our_time:.3f} s, Surprise {their_time:.3f} s")
    return our_seconds, their_seconds, difference


def furthest(ours: Any, theirs: Any) -> float:
    """The largest difference of any factor or bias."""
    learned = [name for name in ("bu", "bi", "pu", "qi", "yj") if hasattr(theirs, name)]
    return max(float(np.abs(getattr(ours, n) - getattr(theirs, n)).max()) for n in learned)


def speed_figures(data: Trainset) -> Figures:
    """Both algorithms beside Surprise's, compiled before the clock starts."""
    found: Figures = {"compile_s": (compile_seconds(), "s")}
    for name, ours, theirs, runs, options in (
        ("svd", SVD, surprise.SVD, RUNS, {}),
        ("svdpp", SVDpp, surprise.SVDpp, SLOW_RUNS, {"cache_ratings": True}),
    ):
        ours(n_epochs=1).fit(data)
        mine, surprises, difference = beside_surprise(ours, theirs, data, runs, **options)
        found |= {
            f"{name}_speedup": (median(surprises) / median(mine), ""),
            f"{name}_max_factor_difference": (difference, ""),
            f"fit_s_{name}": (median(mine), "s"),
            f"fit_s_surprise_{name}": (median(surprises), "s"),
        }
    return found


def compile_seconds() -> float:
    """How long a process without anything compiled takes more than one that has it."""
    with tempfile.TemporaryDirectory() as cache:
        code = (
            "from surprise import *; from trainer.algorithms.matrix_factorization import *;"
            "d = Dataset(Reader()); t = d.construct_trainset([('1', '1', 3.0, None)]);"
            "SVD().fit(t); SVDpp().fit(t)"
        )
        fresh, compiled = (
            seconds(lambda: in_python("-c", code, NUMBA_CACHE_DIR=cache))[0] for _ in range(2)
        )
    return fresh - compiled


def in_python(*arguments: str, **environment: str) -> str:
    """What another Python process prints."""
    command = [sys.executable, *arguments]
    surroundings = os.environ | environment
    return subprocess.run(
        command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=True
    ).stdout


def ranking_figures(interactions: Interactions, data: Trainset) -> Figures:
    """Everything chosen on validation, and the test part scored once."""
    chosen_in, selection = seconds(
        lambda: select(interactions, Terms(SCALE, Rules(30, 0.1)), progress)
    )
    split = split_each_user(interactions, SCALE.liked)
    found = {
        f"ndcg20_{name}": (judgement.ranking.mean_ndcg, "")
        for name, judgement in selection.judgements.items()
    }
    for name, judgement in selection.judgements.items():
        fitted = [seconds(lambda j=judgement: j.recipe.fit(split.training))[0] for _ in range(3)]
        found[f"fit_s_{name}_ranker"] = (median(fitted), "s")
    return (
        found
        | best_figures(selection, split)
        | taken_otherwise(split, data)
        | {"choose_s": (chosen_in, "s")}
    )


def best_figures(selection: Selection, split: Split) -> Figures:
    """The chosen recipe, the same without transitions, and the gain over plain EASE."""
    best = selection.judgements[selection.chosen.algorithm].ranking
    ease = selection.judgements["ease"].ranking
    gain = mean_figure(best.ndcg - ease.ndcg, np.random.default_rng(20))
    progress(f"best is {selection.chosen}")
    return {
        "ndcg20_best": (best.mean_ndcg, ""),
        "recall20_best": (float(best.recall.mean()), ""),
        "ndcg20_best_without_sequence": (
            judge_on_test(without_sequence(selection.chosen), split, SCALE).ranking.mean_ndcg,
            "",
        ),
        "ndcg20_gain": (gain.value, ""),
        "ndcg20_gain_low": (gain.low, ""),
        "ndcg20_gain_high": (gain.high, ""),
    }


def without_sequence(recipe: Recipe) -> Recipe:
    """The same, but that it may not learn what comes after what."""
    if not isinstance(recipe.configuration, HistoryConfiguration):
        return recipe
    return replace(recipe, configuration=replace(recipe.configuration, transitions_weight=0))


class Fitted:
    """A ranker that the trainer does not have, by its scores of everybody."""

    item_model = None

    def __init__(self, scores: np.ndarray) -> None:
        self._scores = scores

    def score(self, rows: np.ndarray) -> np.ndarray:
        """The rows asked for; a copy, which the caller may change."""
        return self._scores[rows].astype(np.float32)


def taken_otherwise(split: Split, data: Trainset) -> Figures:
    """What users would otherwise take: implicit's ALS, Surprise's SVD by rating, item-kNN."""
    found: Figures = {}
    for name, scores_of in (
        ("implicit_als", lambda: implicit_als(split)),
        ("surprise_svd_top_n", lambda: surprise_top_n(split, data)),
        ("item_knn", lambda: item_knn(split)),
    ):
        taken, scores = seconds(scores_of)
        ranking = judge_ranking(Fitted(scores), split, SCALE.liked)
        found[f"ndcg20_{name}"] = (ranking.mean_ndcg, "")
        found[f"fit_s_{name}"] = (taken, "s")
    return found


def implicit_als(split: Split) -> np.ndarray:
    """float32 [users, movies]: products of the factors that all interactions give."""
    met = split.training.matrix(np.ones(len(split.training), np.float32))
    model = AlternatingLeastSquares(factors=128, num_threads=1, random_state=0)
    model.fit(sparse.csr_matrix(met), show_progress=False)
    return model.user_factors @ model.item_factors.T


def surprise_top_n(split: Split, data: Trainset) -> np.ndarray:
    """float32 [users, movies]: predicted ratings, unclipped."""
    fitted = surprise.SVD(random_state=0).fit(data)
    scores = np.full((len(split.training.users), len(split.training.movies)), 0, np.float32)
    known = [data.to_inner_iid(m) if m in data._raw2inner_id_items else -1  # noqa: SLF001 -- no other way to ask
             for m in split.training.movies]  # fmt: skip
    inner = np.array(known)
    by_inner = fitted.bu[:, None] + fitted.bi + fitted.pu @ fitted.qi.T
    users = [data.to_inner_uid(user) for user in split.training.users.tolist()]
    scores[:, inner >= 0] = by_inner[users][:, inner[inner >= 0]]
    scores[:, inner < 0] = by_inner.min()
    return scores


def item_knn(split: Split, neighbours: int = 100) -> np.ndarray:
    """float32 [users, movies]: cosines of the nearest movies, summed over a user's own."""
    met = split.training.matrix(np.ones(len(split.training), np.float32))
    norms = np.sqrt(np.maximum(1, split.training.counts()))
    unit = met @ sparse.diags_array((1 / norms).astype(np.float32))
    cosines = (unit.T @ unit).toarray()
    np.fill_diagonal(cosines, 0)
    cut = np.partition(cosines, -neighbours, axis=1)[:, -neighbours, None]
    cosines[cosines < cut] = 0
    return met @ cosines.T


app = typer.Typer(add_completion=False)


@app.command()
def measure(scale: str = "small") -> None:
    """Measure, print a line a figure, and write build/bench/trainer.json."""
    commit = measured_commit()
    interactions = movielens()
    data = trainset(split_each_user(interactions, SCALE.liked).training)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = speed_figures(data) | ranking_figures(interactions, data) | sparse_figures()
    if scale == "full":
        for count in (1_000_000, 10_000_000, 30_000_000):
            found |= scale_figures(count)
    write("trainer", found, RUNS, commit)


if __name__ == "__main__":
    app()

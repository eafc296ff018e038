"""Which algorithm, in which configuration: chosen on validation, scored once on the test part."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from lightgbm.basic import LightGBMError
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackError

from trainer.algorithms.algorithm import FittedModel, RatingModel, ReusableModel
from trainer.algorithms.held import HOLDINGS, FittedHeld, can_be_held
from trainer.algorithms.popularity import PopularityConfiguration
from trainer.algorithms.registry import ALGORITHMS
from trainer.data.interactions import Interactions, Scale
from trainer.data.split import Split
from trainer.errors import UnsuitableDataError
from trainer.evaluation.metrics import (
    RankingFigures,
    RatingError,
    judge_ranking,
    judge_rankings,
    judge_ratings,
)
from trainer.selection.popular_list import COUNTS, gain_over_counts
from trainer.versions.popularity_prior import Held, Holding

Say = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """An algorithm and its configuration: with data, all it takes to make a model."""

    algorithm: str
    configuration: Any
    holding: Holding | None = None
    """How its scores are held towards popularity; None where they are not."""
    popularity: PopularityConfiguration = COUNTS
    """What makes a movie popular: the popular list, and what scores are held towards."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The configuration as it stands in a manifest."""
        return asdict(self.configuration)

    def fit(self, interactions: Interactions) -> FittedModel:
        """Learn from interactions.

        Raises:
            UnsuitableDataError: it cannot be fitted to them, or found no numbers.
        """
        fitted = _with_numbers(self.algorithm, interactions, self.configuration)
        if self.holding is None:
            return fitted
        return FittedHeld(fitted, Held(self.holding, self.popularity.scores(interactions)))


def _with_numbers(algorithm: str, interactions: Interactions, configuration: Any) -> FittedModel:
    """A fitted model whose scores are finite: one that diverged says nothing of anybody."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            fitted = ALGORITHMS[algorithm].fit(interactions, configuration)
    except (np.linalg.LinAlgError, ArpackError, LightGBMError) as error:
        raise UnsuitableDataError(f"{algorithm} found no solution: {error}") from error
    somebody = np.flatnonzero(np.diff(interactions.indptr))[:1].astype(np.int32)
    if not np.isfinite(fitted.score(somebody)).all():
        raise UnsuitableDataError(f"{algorithm} diverged: its scores are no numbers")
    return fitted


EQUAL = 0.005
"""Figures that differ by less than this share of the better one are equal."""
BASELINE = Recipe("popularity", COUNTS)
"""What every version has to beat."""


@dataclass(frozen=True)
class Trial:
    """A recipe and how it ranked on validation."""

    recipe: Recipe
    ndcg: NDArray[np.float64]
    """float64 [judged users]: the same users for all trials on one split."""

    @property
    def mean_ndcg(self) -> float:
        """The mean over the judged users; 0 when there is none."""
        return float(self.ndcg.mean()) if len(self.ndcg) else 0.0


@dataclass(frozen=True)
class Judgement:
    """How a recipe, fitted to the training part, did on the test part."""

    recipe: Recipe
    ranking: RankingFigures
    rating_error: RatingError | None


def recipe_of(
    algorithm: str,
    parameters: Mapping[str, Any],
    held: Mapping[str, float] | None = None,
    popularity: Mapping[str, float] | None = None,
) -> Recipe | None:
    """The recipe that a manifest states, or None when this code no longer knows it."""
    if algorithm not in ALGORITHMS:
        return None
    try:
        return Recipe(
            algorithm,
            ALGORITHMS[algorithm].configure(**parameters),
            Holding(**held) if held else None,
            PopularityConfiguration(**popularity or {}),
        )
    except TypeError:
        return None


def recipes(scale: Scale, algorithms: Collection[str]) -> list[Recipe]:
    """Everything that is tried of some algorithms, the simplest first; the baseline always."""
    return [
        Recipe(name, configuration)
        for name, algorithm in ALGORITHMS.items()
        if name in algorithms or name == BASELINE.algorithm
        for configuration in algorithm.candidates(scale)
    ]


def try_on_validation(
    tried: Sequence[Recipe], split: Split, scale: Scale, say: Say
) -> Iterator[Trial]:
    """Fit every recipe to the training part and rank the validation part with it.

    Popularity is tried first: the best of it is what all others are held towards, in several
    ways; that is plain counts, unless newcomers gain by more than noise. An algorithm that cannot
    be fitted to this data is left out with all its recipes.
    """
    baselines = [
        replace(recipe, popularity=recipe.configuration)
        for recipe in tried
        if recipe.algorithm == BASELINE.algorithm
    ]
    popular = _unless_by_chance(list(_try(baselines, split, scale, say)), split, scale, say)
    yield from popular
    best = best_of_each(popular)[0].recipe.configuration
    others = [
        replace(recipe, popularity=best)
        for recipe in tried
        if recipe.algorithm != BASELINE.algorithm
    ]
    yield from _try(others, split, scale, say)


def _unless_by_chance(popular: list[Trial], split: Split, scale: Scale, say: Say) -> list[Trial]:
    """Trials of popularity; of plain counts alone, where newcomers don't gain by the best."""
    best = best_of_each(popular)[0].recipe.configuration
    if best == COUNTS:
        return popular
    gain = gain_over_counts(best, split.training, scale.liked)
    if gain and gain.low > 0:
        return popular
    told = f"{gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})" if gain else "nothing"
    say(f"what is popular is counted: newcomers gain {told} by how much it was liked")
    return [trial for trial in popular if trial.recipe.configuration == COUNTS]


def _try(tried: Sequence[Recipe], split: Split, scale: Scale, say: Say) -> Iterator[Trial]:
    """Fit recipes, and judge each with its own scores and held in every way that it can be.

    Args:
        tried: none of them held; those of one algorithm stand together.
        split: training and validation part.
        scale: of the ratings.
        say: is told what each recipe is, and what is left out.
    """
    models: dict[str, FittedModel] = {}
    unsuitable = set()
    for recipe in tried:
        if recipe.algorithm in unsuitable:
            continue
        try:
            model = _reused(models.get(recipe.algorithm), recipe) or recipe.fit(split.training)
            models = {recipe.algorithm: model}
            trials = _ways(recipe, model, split, scale)
        except UnsuitableDataError as error:
            unsuitable.add(recipe.algorithm)
            say(f"validation: {recipe.algorithm} left out: {error}")
        else:
            say(_tried(trials))
            yield from trials


def try_as_they_are(
    tried: Sequence[Recipe], split: Split, scale: Scale, say: Say
) -> Iterator[Trial]:
    """Fit every recipe, held or not, and rank the validation part in no other way."""
    for recipe in tried:
        try:
            ranking = judge_ranking(recipe.fit(split.training), split, scale.liked)
        except UnsuitableDataError as error:
            say(f"validation: {recipe.algorithm} left out: {error}")
        else:
            trial = Trial(recipe, ranking.ndcg)
            say(_tried([trial]))
            yield trial


def _ways(recipe: Recipe, model: FittedModel, split: Split, scale: Scale) -> list[Trial]:
    """A model's own scores, then held in each way."""
    ways = [None, *(HOLDINGS if can_be_held(model) else ())]
    scores = recipe.popularity.scores(split.training)
    held = [Held(way, scores) if way else None for way in ways]
    rankings = judge_rankings(model, held, split, scale.liked)
    return [
        Trial(replace(recipe, holding=way), ranking.ndcg)
        for way, ranking in zip(ways, rankings, strict=True)
    ]


def _tried(trials: Sequence[Trial]) -> str:
    """A recipe's own figure, and that of the best way to hold it."""
    own, best = trials[0], max(trials, key=lambda trial: trial.mean_ndcg)
    told = f"validation: {own.recipe.algorithm} {_varied(own.recipe)}".rstrip()
    told += f": NDCG@20 {own.mean_ndcg:.4f}"
    if best.recipe.holding:
        how = f"{best.recipe.holding.weight:g} popularity, floor {best.recipe.holding.floor:g}"
        told += f"; held towards {how}: {best.mean_ndcg:.4f}"
    return told


def _reused(model: FittedModel | None, recipe: Recipe) -> FittedModel | None:
    return model.reused(recipe.configuration) if isinstance(model, ReusableModel) else None


def _varied(recipe: Recipe) -> str:
    return " ".join(
        f"{key} {value:g}"
        for key, value in recipe.parameters.items()
        if key in {"regularisation", "liking", "watched", "low_pass"} or key.endswith("_weight")
    )


def best_of_each(trials: list[Trial]) -> list[Trial]:
    """Each algorithm's best trial, the best of all first; of equal ones the one tried first."""
    best: dict[str, Trial] = {}
    for trial in sorted(trials, key=lambda trial: -trial.mean_ndcg):
        best.setdefault(trial.recipe.algorithm, trial)
    return list(best.values())


def best_expected(trials: list[Trial]) -> Trial:
    """The trial with the best figure; between equals, the simplest algorithm's.

    What validation expects of a recipe is its best guess, however wide the interval: a simpler
    recipe that is expected to be worse loses on average. The baseline is there to be beaten:
    it is taken where it is the best itself, and not for being simple; nothing is an equal that
    is expected to lose to it.

    Args:
        trials: one of each algorithm, the best first.
    """
    best, order = trials[0], list(ALGORITHMS)
    if best.recipe.algorithm == BASELINE.algorithm:
        return best
    others = [trial for trial in trials if trial.recipe.algorithm != BASELINE.algorithm]
    baseline = [trial for trial in trials if trial.recipe.algorithm == BASELINE.algorithm]
    least = max([(1 - EQUAL) * best.mean_ndcg, *(trial.mean_ndcg for trial in baseline)])
    equals = [trial for trial in others if trial.mean_ndcg >= least]
    return min(equals, key=lambda trial: order.index(trial.recipe.algorithm))


def judge_on_test(recipe: Recipe, split: Split, scale: Scale) -> Judgement:
    """Fit a recipe to the training part and score it on the test part."""
    return measure(recipe, recipe.fit(split.training), split, scale)


def measure(recipe: Recipe, model: FittedModel, split: Split, scale: Scale) -> Judgement:
    """Score on the test part what the recipe made of the training part."""
    error = judge_ratings(model, split.test) if isinstance(model, RatingModel) else None
    return Judgement(recipe, judge_ranking(model, split, scale.liked), error)

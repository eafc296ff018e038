"""What is chosen where people have done little: on MovieLens thinned to three real streams.

    python -m tests.benchmarks.trainer_sparse [SHAPE…]

A training runs from its matrix to the published version: everything is chosen on validation,
the test part is scored once. The loss of choice: the people who were judged on validation are
drawn again with replacement, 20 times; each time a rule chooses among the recipes that the
training had left, one of each algorithm, and loses what the chosen one's figure on test is below
that of the best. As the few people of one test part cannot tell recipes apart, a recipe's figure
is that of the test parts of several streams, thinned alike with other seeds. The rule before
this one took the simplest algorithm that the best did not beat beyond noise.
"""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import typer
from threadpoolctl import threadpool_limits

from tests.benchmarks.movielens import SCALE, movielens
from tests.benchmarks.report import Figures, progress
from tests.benchmarks.thinned import SEED, SHAPES, Shape, thinned
from trainer.algorithms.registry import ALGORITHMS
from trainer.data.interactions import Interactions
from trainer.data.split import split_each_user
from trainer.evaluation.metrics import mean_figure
from trainer.progress import Progress
from trainer.selection.choice import Selection, Terms, select
from trainer.selection.gate import Rules
from trainer.selection.sources import served_gain_low
from trainer.selection.trials import BASELINE, Trial, best_expected, judge_on_test
from trainer.settings import Settings
from trainer.training import Run, publish
from trainer.versions.manifest import Manifest

RESAMPLINGS = 20
FURTHER_STREAMS = 2
"""Streams of the same shape, beside that of the training, that tell what recipes are worth."""

Rule = Callable[[list[Trial]], Trial]
Worth = Mapping[str, float]
"""NDCG@20 by algorithm, of the recipe that its training had left."""


def simplest_within_noise(trials: list[Trial]) -> Trial:
    """The rule before: the first in the registry whose gap to the best may be chance."""
    best, order = trials[0], list(ALGORITHMS)
    contenders = [trial for trial in trials if trial.recipe.algorithm != BASELINE.algorithm]
    contenders.sort(key=lambda trial: order.index(trial.recipe.algorithm))
    random = np.random.default_rng(SEED)
    return next(
        (
            trial
            for trial in contenders
            if trial is best or mean_figure(best.ndcg - trial.ndcg, random).low <= 0
        ),
        best,
    )


def choice_loss(trials: Sequence[Trial], worth: Worth, rule: Rule) -> float:
    """Mean over the resamplings: the share of the best figure that is lost."""
    random = np.random.default_rng(SEED)
    judged = len(trials[0].ndcg)
    losses = []
    for _ in range(RESAMPLINGS):
        drawn = random.integers(judged, size=judged)
        resampled = [Trial(trial.recipe, trial.ndcg[drawn]) for trial in trials]
        chosen = rule(sorted(resampled, key=lambda trial: -trial.mean_ndcg))
        losses.append(1 - worth[chosen.recipe.algorithm] / max(worth.values()))
    return float(np.mean(losses))


def worth_of(selection: Selection, shape: Shape) -> Worth:
    """What each algorithm's recipe is on the test parts of all streams, person by person."""
    found = {name: [judged.ranking.ndcg] for name, judged in selection.judgements.items()}
    for seed in range(SEED + 1, SEED + 1 + FURTHER_STREAMS):
        stream, scale = thinned(movielens(), shape, seed).interactions, selection.scale
        split = split_each_user(stream, scale.liked)
        for name, judged in selection.judgements.items():
            found[name].append(judge_on_test(judged.recipe, split, scale).ranking.ndcg)
    return {name: float(np.concatenate(values).mean()) for name, values in found.items()}


def trained(interactions: Interactions) -> tuple[Selection, Manifest]:
    """Choose, fit, judge and write a version, as a training does between snapshot and pins."""
    selection = select(interactions, Terms(SCALE, Rules(30, 0.1)), progress)
    with tempfile.TemporaryDirectory() as directory:
        told = Settings(
            models_directory=Path(directory),
            rating_min=SCALE.lowest,
            rating_max=SCALE.highest,
            database_user="nobody",
            database_passfile=Path("/dev/null"),
        )
        run = Run(
            told, lambda: datetime.now(UTC), Progress(4, lambda message, _: progress(message))
        )
        return selection, publish(interactions, {}, selection, run)


def figures_of(name: str) -> Figures:
    """The figures of one shape."""
    stream = thinned(movielens(), SHAPES[name]).interactions
    begun, begun_cpu = time.perf_counter(), time.process_time()
    selection, manifest = trained(stream)
    seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - begun_cpu
    judged = selection.judgements
    chosen, prior = (
        judged[algorithm].ranking for algorithm in (manifest.algorithm, BASELINE.algorithm)
    )
    worth = worth_of(selection, SHAPES[name])
    progress(f"{name}: {selection.chosen}; {len(chosen.ndcg)} judged on test; asked are")
    progress(f"{dict(manifest.sources)}; on all test parts {worth}")
    return {
        f"ndcg20_sparse_{name}": (chosen.mean_ndcg, ""),
        f"ndcg20_sparse_over_prior_{name}": (chosen.mean_ndcg / prior.mean_ndcg, ""),
        f"choice_loss_sparse_{name}": (choice_loss(selection.trials, worth, best_expected), ""),
        f"choice_loss_before_{name}": (
            choice_loss(selection.trials, worth, simplest_within_noise),
            "",
        ),
        f"new_people_gain_low_{name}": (served_gain_low(manifest.figures["newcomers"]), ""),
        f"train_s_sparse_{name}": (seconds, "s"),
        f"train_cpu_s_sparse_{name}": (cpu_seconds, "s"),
    }


def sparse_figures(names: Sequence[str] = tuple(SHAPES)) -> Figures:
    """The figures of some shapes, and what holds for all of them together."""
    found: Figures = {}
    for name in names:
        found |= figures_of(name)
    for figure, together in (
        ("ndcg20_sparse_over_prior", min),
        ("choice_loss_sparse", max),
        ("new_people_gain_low", min),
    ):
        found[figure] = together(found[f"{figure}_{name}"] for name in names)
    return found


def main(names: list[str] = typer.Argument(default=list(SHAPES))) -> None:  # noqa: B008 -- typer's way
    """Measure some shapes and print a line a figure."""
    with threadpool_limits(1):
        for name, (value, unit) in sparse_figures(names).items():
            print(f"{name}: {value:.4g} {unit}".rstrip())  # noqa: T201 -- what a benchmark is for


if __name__ == "__main__":
    typer.run(main)

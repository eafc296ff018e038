"""What is chosen where people have done little: on MovieLens thinned to three real streams.

    python -m tests.benchmarks.trainer_sparse [SHAPE…]

Everything is chosen on validation, the test part is scored once. The loss of choice: the people
who were judged on validation are drawn again with replacement, 20 times; each time a rule
chooses among each algorithm's best recipe, and loses what the chosen one's figure on test is
below that of the best. The rule before this one took the simplest algorithm that the best did
not beat beyond noise.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import typer
from threadpoolctl import threadpool_limits

from tests.benchmarks.report import Figures
from tests.benchmarks.thinned import SHAPES, thinned
from tests.benchmarks.trainer import SCALE, movielens
from trainer.algorithms.registry import ALGORITHMS
from trainer.data.interactions import Interactions
from trainer.evaluation.metrics import mean_figure
from trainer.selection.choice import Selection, Terms, select
from trainer.selection.gate import Rules
from trainer.selection.trials import BASELINE, Trial, best_expected
from trainer.training import contents_of
from trainer.versions.manifest import Manifest
from trainer.versions.writer import version_name, write_version

RESAMPLINGS = 20
SEED = 13

Rule = Callable[[list[Trial]], Trial]


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


def choice_loss(selection: Selection, rule: Rule) -> float:
    """Mean over the resamplings: the share of the best figure on test that is lost."""
    random = np.random.default_rng(SEED)
    figures = {name: judged.ranking.mean_ndcg for name, judged in selection.judgements.items()}
    best = max(figures.values())
    losses = []
    for _ in range(RESAMPLINGS):
        drawn = random.integers(len(selection.trials[0].ndcg), size=len(selection.trials[0].ndcg))
        trials = [Trial(trial.recipe, trial.ndcg[drawn]) for trial in selection.trials]
        chosen = rule(sorted(trials, key=lambda trial: -trial.mean_ndcg))
        losses.append(1 - figures[chosen.recipe.algorithm] / best)
    return float(np.mean(losses))


def trained(interactions: Interactions) -> Selection:
    """Choose, fit and write a version, as a training does between its snapshot and its pins."""
    selection = select(interactions, Terms(SCALE, Rules(30, 0.1)), progress)
    recipe = selection.chosen
    name = version_name(datetime.now(UTC), recipe.algorithm)
    manifest = Manifest(name, recipe.algorithm, recipe.parameters, "", {}, {}, {}, {}, {}, {})
    with tempfile.TemporaryDirectory() as directory:
        contents = contents_of(recipe, recipe.fit(interactions), interactions)
        write_version(Path(directory), manifest, contents)
    return selection


def sparse_figures(names: Sequence[str]) -> Figures:
    """The figures of some shapes."""
    whole, found = movielens(), {}
    for name in names:
        stream = thinned(whole, SHAPES[name]).interactions
        begun = time.perf_counter()
        selection = trained(stream)
        seconds = time.perf_counter() - begun
        judged = selection.judgements
        chosen = judged[selection.chosen.algorithm].ranking
        prior = judged[BASELINE.algorithm].ranking
        progress(f"{name}: {selection.chosen}; {len(chosen.ndcg)} judged on test")
        found |= {
            f"ndcg20_sparse_{name}": (chosen.mean_ndcg, ""),
            f"ndcg20_sparse_over_prior_{name}": (chosen.mean_ndcg / prior.mean_ndcg, ""),
            f"choice_loss_sparse_{name}": (choice_loss(selection, best_expected), ""),
            f"choice_loss_before_{name}": (choice_loss(selection, simplest_within_noise), ""),
            f"train_s_sparse_{name}": (seconds, "s"),
        }
    return found


def progress(message: str) -> None:
    """Tell people what is being done; figures alone go to standard output."""
    print(message, file=sys.stderr, flush=True)  # noqa: T201 -- likewise


def main(names: list[str] = typer.Argument(default=list(SHAPES))) -> None:  # noqa: B008 -- typer's way
    """Measure some shapes and print a line a figure."""
    with threadpool_limits(1):
        for name, (value, unit) in sparse_figures(names).items():
            print(f"{name}: {value:.4g} {unit}".rstrip())  # noqa: T201 -- what a benchmark is for


if __name__ == "__main__":
    typer.run(main)

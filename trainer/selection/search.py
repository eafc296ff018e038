"""A better configuration around the best of the usual ones: looked for by optuna on validation.

Every trial is kept in a journal on the models volume: a training that was interrupted goes on
where it was, as long as the data is the same. How many trials there are depends on the time.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import BaseTrial, FixedTrial

from trainer.algorithms.algorithm import SearchedAlgorithm
from trainer.algorithms.registry import ALGORITHMS
from trainer.data.interactions import Scale
from trainer.data.split import Split
from trainer.evaluation.metrics import RankingFigures, judge_ranking
from trainer.selection.trials import Recipe, Say, Trial

SEED = 20


@dataclass(frozen=True)
class Budget:
    """How long is searched, and where every trial is kept."""

    seconds: float
    journal: Path


def search(best: Trial, split: Split, scale: Scale, budget: Budget, say: Say) -> list[Trial]:
    """Search around the best trial so far.

    Args:
        best: where to begin.
        split: training and validation part.
        scale: of the ratings.
        budget: when to stop.
        say: is told every trial with its validation figure.

    Returns:
        The best that was found, if the algorithm can be searched.
    """
    algorithm = ALGORITHMS[best.recipe.algorithm]
    if not isinstance(algorithm, SearchedAlgorithm):
        return []
    usual = best.recipe.configuration

    def recipe(trial: BaseTrial) -> Recipe:
        return replace(best.recipe, configuration=algorithm.suggest(trial, usual))

    def judged(tried: Recipe) -> RankingFigures:
        return judge_ranking(tried.fit(split.training), split, scale.liked)

    def objective(trial: optuna.Trial) -> float:
        ndcg = judged(recipe(trial)).mean_ndcg
        say(f"search: {algorithm.name} {_told(trial)}: NDCG@20 {ndcg:.4f}")
        return ndcg

    study = _study(f"{algorithm.name}-{split.training.hash()[:16]}", budget.journal)
    study.optimize(objective, timeout=budget.seconds)
    found = recipe(FixedTrial(study.best_params))
    return [Trial(found, judged(found).ndcg)]


def _study(name: str, journal: Path) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal.parent.mkdir(parents=True, exist_ok=True)
    return optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(journal))),
        sampler=optuna.samplers.TPESampler(seed=SEED),
        study_name=name,
        direction="maximize",
        load_if_exists=True,
    )


def _told(trial: optuna.Trial) -> str:
    return " ".join(f"{name} {value:.3g}" for name, value in trial.params.items())

"""Which recipe becomes the version, how good it is beside the others, and the gate's word on it."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trainer.algorithms.algorithm import FittedModel
from trainer.algorithms.registry import ALGORITHMS
from trainer.data.interactions import Interactions, Scale
from trainer.data.likes import decide_likes
from trainer.data.split import Split, add_decoys, of_some_people, split_each_user
from trainer.errors import UnsuitableDataError
from trainer.evaluation.beyond_accuracy import beyond_accuracy
from trainer.evaluation.metrics import (
    RankingFigures,
    decoy_places,
    judge_ranking,
    mean_figure,
)
from trainer.selection import gate
from trainer.selection.search import Budget, search
from trainer.selection.trials import (
    BASELINE,
    Judgement,
    Recipe,
    Trial,
    best_expected,
    best_of_each,
    judge_on_test,
    measure,
    recipes,
    try_as_they_are,
    try_on_validation,
)

SEED = 20
"""Of the bootstrap and of the shuffled model; the algorithms have their own."""

LARGEST_TRIED = 3_000_000
"""Interactions. Of more, configurations are told apart on some people's, for their order hardly
depends on how many are learned from, and the worse half of the algorithms goes no further, as in
successive halving (Jamieson and Talwalkar, 2016). What was not chosen is not scored on test."""
TELL_CONFIGURATIONS_APART = 5_000
"""People, where that is so."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Selection:
    """What was chosen on validation, how it and the others did on test, and the gate's word."""

    trials: list[Trial]
    """Each algorithm's best on validation, the chosen one first."""
    judgements: dict[str, Judgement]
    """On test, by algorithm: each of these, or of many interactions the chosen and the baseline."""
    live: Judgement | None
    """The live version's recipe on the same data; None when nothing is live."""
    split: Split
    """What they were fitted to and judged on."""
    verdict: gate.GateDecision
    scale: Scale
    """What counted as a like."""

    @property
    def chosen(self) -> Recipe:
        """The recipe that won on validation."""
        return self.trials[0].recipe


@dataclass(frozen=True)
class Terms:
    """What a selection may try, and the gate's rules."""

    scale: Scale
    rules: gate.Rules
    live: Recipe | None = None
    """How the live version was made; None when nothing is live."""
    alarms: Sequence[str] = ()
    """Findings of the data report that forbid a release."""
    budget: Budget | None = None
    """For a search around the best of what is usually tried; None for no search."""
    algorithms: Collection[str] = tuple(ALGORITHMS)
    """What is tried; the baseline is in any case."""


def select(interactions: Interactions, terms: Terms, say: Say) -> Selection:
    """Choose on validation, score on test once, and ask the gate.

    The live version is judged by its recipe, fitted to the same training part as the others:
    the version itself may have learned from what is held out here.
    """
    scale = decide_likes(interactions, terms.scale)
    terms = replace(terms, scale=scale)
    split = add_decoys(split_each_user(interactions, scale.liked), _random())
    if terms.live in (None, BASELINE):
        judged = judge_on_test(BASELINE, split, scale)
        users = len(judged.ranking.ndcg)
        if users < terms.rules.minimum_users:
            return _unjudged(judged, users, split, terms)
    trials = _tried(split_each_user(split.training, scale.liked), terms, say)
    model = trials[0].recipe.fit(split.training)
    chosen = measure(trials[0].recipe, model, split, scale)
    say(_told(chosen))
    judgements = {chosen.recipe.algorithm: chosen} | _judged(
        _beside_the_chosen(trials, split), split, scale, say
    )
    on_live = _judge_live(terms.live, judgements, split, scale, say)
    comparison = replace(
        _comparison(model, chosen.ranking, split),
        popularity=judgements[BASELINE.algorithm].ranking.ndcg,
        live=on_live.ranking.ndcg if on_live else None,
        alarms=terms.alarms,
    )
    verdict = gate.checked(
        gate.decide(comparison, terms.rules, _random()),
        *(
            gate.decide(spoiled, terms.rules, _random())
            for spoiled in _spoiled(model, comparison, split, scale)
        ),
    )
    return Selection(trials, judgements, on_live, split, verdict, scale)


def _unjudged(judged: Judgement, users: int, split: Split, terms: Terms) -> Selection:
    """Popularity, where too few people could judge another: it has no need to beat itself."""
    why = (
        f"popularity, which needs no comparison with itself: {users} users have a liked movie"
        f" held out, and {terms.rules.minimum_users} are needed to judge another algorithm by"
    )
    trials = [Trial(BASELINE, np.empty(0))]
    verdict = gate.GateDecision(accepted=not terms.alarms, reason="; ".join(terms.alarms) or why)
    return Selection(trials, {BASELINE.algorithm: judged}, None, split, verdict, terms.scale)


def _beside_the_chosen(trials: Sequence[Trial], split: Split) -> list[Trial]:
    """Who is scored on test, too: all, or of many interactions the baseline alone."""
    many = len(split.training) > LARGEST_TRIED
    return [
        trial for trial in trials[1:] if not many or trial.recipe.algorithm == BASELINE.algorithm
    ]


def _judged(trials: Sequence[Trial], split: Split, scale: Scale, say: Say) -> dict[str, Judgement]:
    """What they are on test; no model is kept, they are large."""
    found = {}
    for trial in trials:
        judgement = judge_on_test(trial.recipe, split, scale)
        found[trial.recipe.algorithm] = judgement
        say(_told(judgement))
    return found


def _told(judgement: Judgement) -> str:
    return f"test: {judgement.recipe.algorithm}: NDCG@20 {judgement.ranking.mean_ndcg:.4f}"


def _tried(split: Split, terms: Terms, say: Say) -> list[Trial]:
    """Each algorithm's best on validation, the chosen one first."""
    scale = terms.scale
    trials = _trials(recipes(scale, terms.algorithms), split, scale, say)
    if terms.budget:
        best = best_expected(best_of_each(trials))
        trials += search(best, split, scale, terms.budget, say)
    best_ones = best_of_each(trials)
    chosen = best_expected(best_ones)
    others = [trial for trial in best_ones if trial is not chosen]
    say(_why(chosen, others))
    return [chosen, *others]


def _trials(tried: list[Recipe], split: Split, scale: Scale, say: Say) -> list[Trial]:
    """Of everything that is tried; of many interactions, of what was better on some of them."""
    if len(split.training) <= LARGEST_TRIED:
        return list(try_on_validation(tried, split, scale, say))
    some = of_some_people(split, TELL_CONFIGURATIONS_APART, LARGEST_TRIED, _random())
    say(f"configurations are told apart on {len(some.training):,} interactions")
    first = best_of_each(list(try_on_validation(tried, some, scale, say)))
    better = first[: (len(first) + 1) // 2]
    better += [each for each in first[len(better) :] if each.recipe.algorithm == BASELINE.algorithm]
    say(f"the better half, and the baseline, learn from all {len(split.training):,}")
    return list(try_as_they_are([trial.recipe for trial in better], split, scale, say))


def _why(chosen: Trial, others: list[Trial]) -> str:
    """Who could be judged, and what the chosen one was better than."""
    told = f"chosen: {chosen.recipe.algorithm}, the best expected of {len(chosen.ndcg):,} judged"
    gains = (_gain(chosen, other) for other in others if len(other.ndcg))
    return "; ".join([told, *gains])


def _gain(chosen: Trial, other: Trial) -> str:
    gain = mean_figure(chosen.ndcg - other.ndcg, _random())
    return f"{gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f}) over {other.recipe.algorithm}"


def _comparison(model: FittedModel, ranking: RankingFigures, split: Split) -> gate.Comparison:
    return gate.Comparison(
        candidate=ranking.ndcg,
        popularity=np.zeros_like(ranking.ndcg),
        live=None,
        decoys=decoy_places(model, split),
        coverage=beyond_accuracy(ranking, split.training).get("coverage20", 0.0),
    )


def _spoiled(
    model: FittedModel, comparison: gate.Comparison, split: Split, scale: Scale
) -> Iterator[gate.Comparison]:
    """Two models known to be bad, compared as if the chosen one were live if nothing is."""
    order = _random().permutation(len(split.training.movies))
    shown = split.test.matrix(np.ones(len(split.test), np.float32))
    live = comparison.candidate if comparison.live is None else comparison.live
    for bad in (gate.ShuffledModel(model, order), gate.LeakingModel(model, shown)):
        found = _comparison(bad, judge_ranking(bad, split, scale.liked), split)
        yield replace(found, popularity=comparison.popularity, live=live)


def _judge_live(
    live: Recipe | None, judgements: dict[str, Judgement], split: Split, scale: Scale, say: Say
) -> Judgement | None:
    if live is None:
        return None
    same = judgements.get(live.algorithm)
    if same and same.recipe == live:
        return same
    try:
        return judge_on_test(live, split, scale)
    except UnsuitableDataError as error:
        say(f"test: the live version's recipe left out: {error}")
        return None


def _random() -> np.random.Generator:
    return np.random.default_rng(SEED)

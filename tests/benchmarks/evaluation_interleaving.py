"""How many people interleaving needs where an A/B test needs so many, with the simulator's people.

Models are fitted to what the simulator sends; its own people then read their lists. A person's
outcome is theirs within one day of visits; lists, credits and intervals are the product's.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from monitoring.experiments.confidence import ALPHA, standard_errors
from recommender.answers.team_draft import team_draft
from tests.benchmarks.evaluation_readers import (
    Answer,
    Movies,
    Shown,
    Tasters,
    Town,
    alone,
    credited,
    visits,
)
from tests.benchmarks.report import Figures
from trainer.algorithms.registry import ALGORITHMS
from trainer.data.interactions import Interactions, Scale
from trainer.evaluation.top_lists import rank

SCALE = Scale(0.5, 5)
PEOPLE = 100_000
"""People whose day is simulated for each version and each pair."""
POWER = 0.8
TRIALS = 400
LENGTH = 20
ORIGINS = ("control", "challenger", "both")
PAIRS = (("popularity", "ease"), ("als", "ease"))


@dataclass(frozen=True)
class Effect:
    """A difference, and the spread of one person's part of it."""

    value: float
    spread: float

    def people(self) -> float:
        """How many people find it with a power of 0.8, looking as often as one likes."""
        errors = standard_errors(1, 1, ALPHA) + NormalDist().inv_cdf(POWER)
        return (errors * self.spread / self.value) ** 2


def interactions(town: Town) -> Interactions:
    """What a trainer sees of the town; movies are named by their padded places."""
    return Interactions.assemble(
        np.array([rating.user_id for rating in town.sent], np.int64),
        [f"{place:05}" for place in range(town.movies)],
        np.array([rating.movie for rating in town.sent], np.int32),
        np.array([rating.stars for rating in town.sent], np.float32),
        np.array([rating.timestamp * 1_000_000 for rating in town.sent], np.int64),
    )


def lists_of(algorithm: str, data: Interactions, town: Town) -> Movies:
    """int64 [tastes, LENGTH]: everybody's best movies, by an algorithm's usual configuration."""
    known = ALGORITHMS[algorithm]
    fitted = known.fit(data, known.candidates(SCALE)[0])
    lists = np.zeros((len(data.users), LENGTH), np.int64)
    row_of = np.array([town.tastes.row[int(user)] for user in data.users])
    for rows, found in rank(fitted, data, np.arange(len(data.users), dtype=np.int32), LENGTH):
        lists[row_of[rows]] = found.items
    return lists


def drafted(control: Movies, challenger: Movies) -> Answer:
    """Answers of both versions, drafted anew for each."""
    one, other = control.tolist(), challenger.tolist()

    def answer(tasters: Tasters, random: np.random.Generator) -> Shown:
        coins = random.integers(2**32, size=len(tasters)).tolist()
        drafts = [
            team_draft(one[taste], other[taste], LENGTH, coin)
            for taste, coin in zip(tasters.tolist(), coins, strict=True)
        ]
        origins = [[ORIGINS.index(origin) for origin in draft.values()] for draft in drafts]
        return Shown(np.array([list(draft) for draft in drafts]), np.array(origins, np.int8))

    return answer


def between_arms(control: NDArray[np.float64], challenger: NDArray[np.float64]) -> Effect:
    """The difference of two halves of the people, as the spread of one person of all."""
    spread = math.sqrt(2 * control.var() + 2 * challenger.var())
    return Effect(float(challenger.mean() - control.mean()), spread)


def within_people(taken: NDArray[np.int64]) -> Effect:
    """The preference of people who each see both, and its spread by the delta method."""
    more, all_taken = taken[:, 1] - taken[:, 0], taken[:, 1] + taken[:, 0]
    value = more.sum() / all_taken.sum()
    return Effect(float(value), float((more - value * all_taken).std() / all_taken.mean()))


def power(effect: Effect, draw: Callable[[int], Effect]) -> float:
    """The share of trials with so many people whose interval is clear of 0 at the end."""
    people = 2 * math.ceil(effect.people() / 2)
    bound = standard_errors(people, people, ALPHA) / math.sqrt(people)
    found = [draw(people) for _ in range(TRIALS)]
    return float(np.mean([one.value * np.sign(effect.value) > bound * one.spread for one in found]))


def interleaving_figures(
    people: Town, lists: Mapping[str, Movies], progress: Callable[[str], None]
) -> Figures:
    """Both pairs of models by both methods; the worse ratio counts."""
    random = np.random.default_rng(0)
    tasters, counts = random.integers(len(people.knows), size=PEOPLE), visits(PEOPLE, random)
    watched = {}
    for name, of_version in lists.items():
        taken = credited(people, tasters, counts, alone(of_version), seed=1)
        watched[name] = (taken.sum(axis=1) > 0).astype(np.float64)
        progress(f"{name}: {watched[name].mean():.1%} of people watch something recommended")
    found: Figures = {}
    for control, challenger in PAIRS:
        progress(f"interleaving {challenger} with {control}")
        answer = drafted(lists[control], lists[challenger])
        taken = credited(people, tasters, counts, answer, seed=2)
        found |= _pair(control, watched[control], watched[challenger], taken)
    ratios = [found[f"interleaving_people_ratio_{control}"][0] for control, _ in PAIRS]
    return found | {"interleaving_people_ratio": (max(ratios), "")}


def _pair(
    control: str,
    one: NDArray[np.float64],
    other: NDArray[np.float64],
    taken: NDArray[np.int64],
) -> Figures:
    random = np.random.default_rng(3)
    arms, both = between_arms(one, other), within_people(taken)

    def by_arms(people: int) -> Effect:
        half = people // 2
        shares = [random.binomial(half, arm.mean()) / half for arm in (one, other)]
        spread = math.sqrt(sum(2 * share * (1 - share) for share in shares))
        return Effect(shares[1] - shares[0], spread)

    def by_people(people: int) -> Effect:
        return within_people(taken[random.integers(len(taken), size=people)])

    return {
        f"interleaving_people_ratio_{control}": (both.people() / arms.people(), ""),
        f"lift_of_ease_over_{control}": (arms.value / float(one.mean()), ""),
        f"preference_for_ease_over_{control}": (both.value, ""),
        f"people_for_ab_{control}": (arms.people(), "people"),
        f"people_for_interleaving_{control}": (both.people(), "people"),
        f"power_of_interleaving_{control}": (power(both, by_people), ""),
        f"power_of_ab_{control}": (power(arms, by_arms), ""),
    }

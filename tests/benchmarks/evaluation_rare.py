"""How often A/A tests of what few people do, at small shares, find a difference that is none.

Where one in 50 people watches something recommended and the challenger has a tenth of them, an
arm's own people say too little about how they vary. Each test is looked at again and again, with
the product's own estimates and verdicts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from monitoring.experiments.estimates import Sums, means, relative_lift
from monitoring.experiments.verdict import Plan, Word, judge
from tests.benchmarks.report import Figures

SEEDS = range(1000)
WATCHING = (0.02, 0.05)
SHARES = (0.1, 0.3, 0.5)
LOOKS = 50
PLAN = Plan(people=5000, margin=0.05)


@dataclass(frozen=True)
class Case:
    """A/A tests of one kind: the shares of people who watch and who get the challenger."""

    watching: float
    share: float


CASES = tuple(Case(watching, share) for watching in WATCHING for share in SHARES)


def looks(case: Case, seed: int) -> Iterator[tuple[Sums, Sums]]:
    """Control and challenger as they stand at each look."""
    random = np.random.default_rng(seed)
    drawn = random.random(PLAN.people) < case.share
    watched = random.random(PLAN.people) < case.watching
    every = PLAN.people // LOOKS
    arms = []
    for arm in (~drawn, drawn):
        so_far = np.cumsum(np.stack([arm, arm & watched]), axis=1)[:, every - 1 :: every].T
        arms.append([Sums(n, float(hits), float(hits)) for n, hits in so_far.tolist()])
    return zip(*arms, strict=True)


def is_ever_different(case: Case, seed: int) -> bool:
    """Whether people are said to be better or worse off at any look."""
    for control, challenger in looks(case, seed):
        both = means(control, challenger)
        word = judge(relative_lift(*both) if both else None, PLAN).word
        if word in (Word.BETTER, Word.WORSE):
            return True
    return False


def false_positive_rate(case: Case) -> float:
    """How many of the tests ever find a difference."""
    return sum(is_ever_different(case, seed) for seed in SEEDS) / len(SEEDS)


def rare_figures(progress: Callable[[str], None]) -> Figures:
    """The rate of the worst case.

    Args:
        progress: is told each step.
    """
    progress(f"{len(SEEDS)} A/A tests of what few people do, of each of {len(CASES)} kinds")
    return {"false_positive_rate_rare": (max(map(false_positive_rate, CASES)), "")}

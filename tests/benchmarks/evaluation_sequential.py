"""How often experiments that are looked at all the time are wrong, and how soon they are right.

Each experiment has people with the simulator's tastes who come back, a few of them very often.
A person is counted when their day is over, and an experiment is looked at after every 200 such
people, with the product's own draw, estimates and intervals.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from monitoring.experiments.assignment import BUCKETS, challenger_buckets
from monitoring.experiments.confidence import ALPHA, interval
from monitoring.experiments.estimates import Estimate, Sums, adjusted, mean, relative_lift
from tests.benchmarks.evaluation_readers import SPREAD_OF_VISITS, VISITS_A_DAY
from tests.benchmarks.report import Figures

SEEDS = range(1000)
PEOPLE = 20_000
BATCH = 200
LIFT = 0.1
COME_WITHIN = 4.0
"""Days within which everybody comes for the first time."""
NEWCOMERS = 0.03
MINUTES = 90
GROUP_LOOKS = 20
PATHS = 200_000

Values = NDArray[np.float64]
type Look = tuple[Sums, Sums]
"""Control and challenger, as they stand at one look."""


@dataclass(frozen=True)
class Traffic:
    """The people of an experiment in the order in which their days end, and all their visits.

    Attributes:
        challenger: bool [people], their arm.
        watched: float64 [people], 1 if they watched something recommended in their day.
        minutes: float64 [people], of what was recommended, in their day.
        before: float64 [people], logarithm of 1 + what they watched like that the day before.
        visitors: int64 [visits], who came,
        looks: int64 [visits], the look before which they came,
        hits: bool [visits], and whether they watched something recommended then.
    """

    challenger: NDArray[np.bool_]
    watched: Values
    minutes: Values
    before: Values
    visitors: NDArray[np.int64]
    looks: NDArray[np.int64]
    hits: NDArray[np.bool_]


def traffic(takes: Values, seed: int, factor: float = 0.0) -> Traffic:
    """The people and visits of one experiment.

    Args:
        takes: float64 [tastes], how likely a visit ends with a recommended movie.
        seed: of everything.
        factor: how much likelier the challenger's people watch something (`factor_of`).
    """
    random = np.random.default_rng(seed)
    rates = VISITS_A_DAY * random.lognormal(-(SPREAD_OF_VISITS**2) / 2, SPREAD_OF_VISITS, PEOPLE)
    chances = random.choice(takes, PEOPLE)
    first = np.sort(random.uniform(0, COME_WITHIN, PEOPLE))
    challenger = _arms(seed, random)
    again = random.poisson(rates * (COME_WITHIN + 1 - first))
    visitors = np.concatenate([np.arange(PEOPLE), np.repeat(np.arange(PEOPLE), again)])
    since = random.random(len(visitors)) * (COME_WITHIN + 1 - first[visitors])
    since[:PEOPLE] = 0
    hits = random.random(len(visitors)) < chances[visitors]
    counted = hits & (since < 1)
    minutes = np.bincount(
        visitors[counted], random.gamma(4, MINUTES / 4, np.count_nonzero(counted)), PEOPLE
    )
    watched = np.bincount(visitors[counted], minlength=PEOPLE) > 0
    watched |= challenger & (random.random(PEOPLE) < factor * _watches(chances, rates))
    known = random.random(PEOPLE) >= NEWCOMERS
    before = random.binomial(random.poisson(rates) * known, chances)
    return Traffic(
        challenger,
        watched.astype(np.float64),
        minutes,
        np.log1p(before),
        visitors,
        np.searchsorted(first[BATCH - 1 :: BATCH] + 1, first[visitors] + since),
        hits,
    )


def _arms(seed: int, random: np.random.Generator) -> NDArray[np.bool_]:
    buckets = np.zeros(BUCKETS, np.bool_)
    buckets[list(challenger_buckets("benchmark", seed, BUCKETS // 2))] = True
    return buckets[random.integers(BUCKETS, size=PEOPLE)]


def _watches(chances: Values, rates: Values) -> Values:
    """How likely somebody watches something recommended in their day."""
    return 1 - (1 - chances) * np.exp(-rates * chances)


def factor_of(takes: Values, lift: float) -> float:
    """The factor with which people's mean share of watchers grows by this lift.

    A person who watches with chance q, and does not, then does with chance factor * q after all,
    so their share becomes q + factor * q * (1 - q).
    """
    random = np.random.default_rng(0)
    rates = VISITS_A_DAY * random.lognormal(-(SPREAD_OF_VISITS**2) / 2, SPREAD_OF_VISITS, 10**6)
    shares = _watches(random.choice(takes, 10**6), rates)
    return float(lift * shares.mean() / (shares * (1 - shares)).mean())


def looks(
    challenger: NDArray[np.bool_], outcome: Values, before: Values | None = None
) -> list[Look]:
    """What each look sees of people who are counted once."""
    x = np.zeros(PEOPLE) if before is None else before
    columns = np.stack([np.ones(PEOPLE), outcome, outcome**2, x, x**2, x * outcome])
    arms = []
    for arm in (~challenger, challenger):
        sums = np.cumsum(columns * arm, axis=1)[:, BATCH - 1 :: BATCH].T.tolist()
        arms.append([Sums(int(people), *rest) for people, *rest in sums])
    return list(zip(*arms, strict=True))


def growing_looks(of: Traffic) -> list[Look]:
    """What each look sees of totals that go on growing: answers, and which of them were hits."""
    arms = []
    for arm in (~of.challenger, of.challenger):
        mine = arm[of.visitors]
        last = PEOPLE // BATCH
        answers = np.cumsum(np.bincount(of.looks[mine], minlength=last + 1))[:last].tolist()
        hits = np.bincount(of.looks[mine], of.hits[mine], minlength=last + 1)
        found = np.cumsum(hits)[:last].tolist()
        arms.append([Sums(n, hit, hit) for n, hit in zip(answers, found, strict=True)])
    return list(zip(*arms, strict=True))


def lifts(seen: list[Look]) -> Iterator[Estimate]:
    """The relative lift at each look that has one."""
    for control, challenger in seen:
        one, other = mean(control), mean(challenger)
        if one and other and (lift := relative_lift(one, other)):
            yield lift


def adjusted_lifts(seen: list[Look]) -> Iterator[Estimate]:
    """The same, less what the day before foretold."""
    for look in seen:
        control, challenger = adjusted(*look)
        if control and challenger and (lift := relative_lift(control, challenger)):
            yield lift


def ever_outside(estimates: list[Estimate], truth: float, planned: int) -> bool:
    """Whether the truth is outside the interval at any look."""
    return any(
        not one.low <= truth <= one.high for one in (interval(e, planned) for e in estimates)
    )


def stop(estimates: list[Estimate]) -> int | None:
    """How many people there are when the interval is first clear of 0; None if it never is."""
    for one in estimates:
        if not (found := interval(one, PEOPLE)).low <= 0 <= found.high:
            return one.people
    return None


def group_sequential_bound() -> float:
    """C of O'Brien and Fleming's bound: stop at look k of K when |z| is at least C * sqrt(K / k).

    By simulation. Source: O'Brien and Fleming, Biometrics 35 (1979), 549-556; for 5 looks
    Jennison and Turnbull's table has 2.040, for 20 looks 2.126.
    """
    steps = np.random.default_rng(0).normal(size=(PATHS, GROUP_LOOKS)) / math.sqrt(GROUP_LOOKS)
    highest = np.abs(np.cumsum(steps, axis=1)).max(axis=1)
    return float(np.quantile(highest, 1 - ALPHA))


def by_groups(estimates: list[Estimate], bound: float) -> int | None:
    """When to stop by O'Brien and Fleming's bound, looking 20 times."""
    every = PEOPLE // GROUP_LOOKS
    for one in estimates:
        if one.people % every == 0:
            needed = bound * math.sqrt(PEOPLE / one.people)
            if abs(one.value) >= needed * math.sqrt(one.variance):
                return one.people
    return None


@dataclass(frozen=True)
class Found:
    """What the looks at one experiment with a true lift came to; people, None if never."""

    covered: bool
    stop: int | None
    stop_with_cuped: int | None
    stop_by_groups: int | None
    last: Estimate
    last_with_cuped: Estimate


def errors(of: Traffic, bound: float) -> dict[str, bool]:
    """By which methods an A/A test is wrong at any of its looks."""
    once = list(lifts(looks(of.challenger, of.watched)))
    minutes = list(lifts(looks(of.challenger, of.minutes)))
    cuped = list(adjusted_lifts(looks(of.challenger, of.watched, of.before)))
    growing = list(lifts(growing_looks(of)))
    return {
        "false_positive_rate": ever_outside(once, 0, PEOPLE),
        "false_positive_rate_growing_totals": ever_outside(growing, 0, growing[-1].people),
        "false_positive_rate_minutes": ever_outside(minutes, 0, PEOPLE),
        "false_positive_rate_cuped": ever_outside(cuped, 0, PEOPLE),
        "false_positive_rate_group_sequential": by_groups(once, bound) is not None,
    }


def findings(of: Traffic, bound: float) -> Found:
    """What is found of a true lift, and when."""
    seen = looks(of.challenger, of.watched, of.before)
    plain, cuped = list(lifts(seen)), list(adjusted_lifts(seen))
    return Found(
        not ever_outside(plain, LIFT, PEOPLE),
        stop(plain),
        stop(cuped),
        by_groups(plain, bound),
        plain[-1],
        cuped[-1],
    )


def sequential_figures(takes: Values, progress: Callable[[str], None]) -> Figures:
    """Errors of A/A tests, and what tests of a true lift find.

    Args:
        takes: float64 [tastes], how likely a visit ends with a recommended movie.
        progress: is told each step.
    """
    bound = group_sequential_bound()
    progress(f"{len(SEEDS)} A/A tests, looked at {PEOPLE // BATCH} times each")
    wrong = [errors(traffic(takes, seed), bound) for seed in SEEDS]
    rates = {name: (sum(one[name] for one in wrong) / len(wrong), "") for name in wrong[0]}
    progress(f"{len(SEEDS)} tests of a lift of {LIFT:.0%}")
    factor = factor_of(takes, LIFT)
    return rates | lift_figures([findings(traffic(takes, seed, factor), bound) for seed in SEEDS])


def lift_figures(found: list[Found]) -> Figures:
    """How often, and how soon, a true lift is found; beside tests that look once, or 20 times."""
    power = share(one.stop for one in found)
    fixed = fixed_people(power, [one.last for one in found])
    by_group = share(one.stop_by_groups for one in found)
    fixed_by_group = fixed_people(by_group, [one.last for one in found])
    return {
        "coverage": (sum(one.covered for one in found) / len(found), ""),
        "power": (power, ""),
        "median_people_to_stop": (middle(one.stop for one in found), "people"),
        "median_stop_ratio": (middle(one.stop for one in found) / fixed, ""),
        "group_sequential_power": (by_group, ""),
        "group_sequential_median_stop_ratio": (
            middle(one.stop_by_groups for one in found) / fixed_by_group,
            "",
        ),
        "cuped_ratio": (
            float(np.mean([one.last_with_cuped.variance / one.last.variance for one in found])),
            "",
        ),
        "cuped_median_people_to_stop": (middle(one.stop_with_cuped for one in found), "people"),
    }


def share(stops: Iterable[int | None]) -> float:
    """How many of them stopped at all."""
    return float(np.mean([one is not None for one in stops]))


def middle(stops: Iterable[int | None]) -> float:
    """The median; who never stopped went on to the end."""
    return float(np.median([one or PEOPLE for one in stops]))


def fixed_people(power: float, last: list[Estimate]) -> float:
    """How many people a test needs that looks once, for the same power (1 is 1 in 2,000 short)."""
    normal = NormalDist()
    errors_needed = normal.inv_cdf(1 - ALPHA / 2) + normal.inv_cdf(min(power, 0.9995))
    spread = float(np.mean([one.variance * one.people for one in last]))
    return (errors_needed / LIFT) ** 2 * spread

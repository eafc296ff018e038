"""Intervals that hold at all looks together, so that one may look, and stop, whenever one likes.

An asymptotic confidence sequence: the chance that the truth is ever outside, at any of all
looks, is at most alpha, for people enough that their mean is about normal. It is Robbins's
normal mixture with an estimated variance.

Sources: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory and
asymptotic confidence sequences, Annals of Statistics 52 (2024), arXiv:2103.06476 (theorem 2.2,
its appendix for the tuning); Howard, Ramdas, McAuliffe and Sekhon, Time-uniform, nonparametric,
nonasymptotic confidence sequences, Annals of Statistics 49 (2021), arXiv:1810.08240 (the
mixture boundary, and its one-sided form).
"""

import math
from dataclasses import dataclass

from monitoring.experiments.estimates import Estimate

ALPHA = 0.05


@dataclass(frozen=True)
class Interval:
    """An estimate and between what the truth is, at all looks together."""

    value: float
    low: float
    high: float


def precision(planned_people: int, alpha: float) -> float:
    """The mixture's rho squared that makes the interval tightest at so many people.

    The closed form that is within a few thousandths of the exact one, by -W(-alpha^2 / e) of the
    lower branch of Lambert's function.
    """
    log = -2 * math.log(alpha)
    return (log + math.log(log + 1)) / planned_people


def standard_errors(people: float, planned_people: int, alpha: float) -> float:
    """How many standard errors the interval extends to each side at this many people."""
    scaled = people * precision(planned_people, alpha)
    return math.sqrt((scaled + 1) / scaled * math.log((scaled + 1) / alpha**2))


def interval(estimate: Estimate, planned_people: int, alpha: float = ALPHA) -> Interval:
    """The interval around an estimate, tightest when it rests on `planned_people`.

    Raises:
        ValueError: the estimate rests on nobody.
    """
    if estimate.people < 1:
        raise ValueError("an estimate that rests on nobody has no interval")
    error = math.sqrt(estimate.variance)
    half = standard_errors(estimate.people, planned_people, alpha) * error
    return Interval(estimate.value, estimate.value - half, estimate.value + half)

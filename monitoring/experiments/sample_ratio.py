"""Whether both arms got the people they should have, tested at every look.

A mismatch means that something loses the people of one arm, and then no difference between
the arms means anything. The test is a mixture of all other allocations against the planned one:
its evidence is a martingale while the plan holds, so the chance that it ever reaches 1 / alpha
is at most alpha however often one looks.

Source: Lindon and Malek, Anytime-Valid Inference for Multinomial Count Data, NeurIPS 2022,
arXiv:2011.03567 (with two arms their Dirichlet mixture is a beta).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import lgamma, log

ALPHA = 0.01
CONCENTRATION = 1000.0
"""How close to the plan the mixture looks for another: within about 1.6 points of 50 %."""


@dataclass(frozen=True)
class Allocation:
    """How many people came to each arm while the challenger had a constant share of them."""

    control: int
    challenger: int
    share: float
    """The challenger's planned share of people, between 0 and 1."""


def log_evidence(allocations: Iterable[Allocation]) -> float:
    """Logarithm of the evidence against the plan; parts with their own share multiply."""
    return sum(_log_evidence(allocation) for allocation in allocations)


def mismatch(allocations: Iterable[Allocation]) -> str | None:
    """What is wrong with the allocation, in words; None while chance explains it."""
    allocations = list(allocations)
    if log_evidence(allocations) < -log(ALPHA):
        return None
    people = sum(allocation.control + allocation.challenger for allocation in allocations)
    found = sum(allocation.challenger for allocation in allocations)
    planned = sum(
        (allocation.control + allocation.challenger) * allocation.share
        for allocation in allocations
    )
    return (
        f"sample ratio mismatch: {found:,} of {people:,} people came to the challenger,"
        f" {planned:,.0f} were to; find out who is lost before believing any difference"
    )


def _log_evidence(allocation: Allocation) -> float:
    prior_challenger = CONCENTRATION * allocation.share
    prior_control = CONCENTRATION - prior_challenger
    mixture = _log_beta(
        prior_challenger + allocation.challenger, prior_control + allocation.control
    )
    planned = allocation.challenger * log(allocation.share) + allocation.control * log(
        1 - allocation.share
    )
    return mixture - _log_beta(prior_challenger, prior_control) - planned


def _log_beta(first: float, second: float) -> float:
    return lgamma(first) + lgamma(second) - lgamma(first + second)

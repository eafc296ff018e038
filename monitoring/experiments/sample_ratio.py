"""Whether both arms got the people they should have, tested at every look.

A mismatch means that something loses the people of one arm, and then no difference between
the arms means anything. The test is a mixture of all other splits against the planned one:
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
"""How close to the plan the mixture looks for another split: within about 1.6 points of 50 %."""


@dataclass(frozen=True)
class Split:
    """How many people came to each arm while the challenger had a constant share of them."""

    control: int
    challenger: int
    share: float
    """The challenger's planned share of people, between 0 and 1."""


def log_evidence(splits: Iterable[Split]) -> float:
    """Logarithm of the evidence against the plan; parts with their own share multiply."""
    return sum(_log_evidence(split) for split in splits)


def mismatch(splits: Iterable[Split]) -> str | None:
    """What is wrong with the split, in words; None while chance explains it."""
    splits = list(splits)
    if log_evidence(splits) < -log(ALPHA):
        return None
    people = sum(split.control + split.challenger for split in splits)
    found = sum(split.challenger for split in splits)
    planned = sum((split.control + split.challenger) * split.share for split in splits)
    return (
        f"sample ratio mismatch: {found:,} of {people:,} people came to the challenger,"
        f" {planned:,.0f} were to; find out who is lost before believing any difference"
    )


def _log_evidence(split: Split) -> float:
    prior_challenger = CONCENTRATION * split.share
    prior_control = CONCENTRATION - prior_challenger
    mixture = _log_beta(prior_challenger + split.challenger, prior_control + split.control)
    planned = split.challenger * log(split.share) + split.control * log(1 - split.share)
    return mixture - _log_beta(prior_challenger, prior_control) - planned


def _log_beta(first: float, second: float) -> float:
    return lgamma(first) + lgamma(second) - lgamma(first + second)

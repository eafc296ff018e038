"""Arms that are alike are let through, however their share changed and however few one has."""

import numpy as np
import pytest

from monitoring.experiments.confidence import ALPHA
from monitoring.experiments.estimates import Sums
from monitoring.experiments.guardrails import harms

SEEDS = range(100)
PEOPLE = 3000
LOOKS = 15
PLANNED = 20_000


def sums_at_looks(y, x, of):
    """The sums of those people of whom `of` is true, as they stand at each look."""
    columns = np.stack([of, of * y, of * y * y, of * x, of * x * x, of * x * y], axis=1)
    every = len(y) // LOOKS
    found = columns.astype(float).cumsum(axis=0)[every - 1 :: every]
    return [Sums(int(people), *rest) for people, *rest in found.tolist()]


def stops(figure, seed, shares, outage):
    """Whether an A/A test is stopped at any look; the share changes after half of the people.

    Before that, a person meets the outage with probability `outage`, and all their requests do.
    """
    random = np.random.default_rng(seed)
    is_first = np.arange(PEOPLE) < PEOPLE // 2
    is_challenger = random.random(PEOPLE) < np.where(is_first, *shares)
    requests = 1.0 + random.poisson(random.lognormal(0, 1, PEOPLE))
    is_hit = is_first & (random.random(PEOPLE) < outage)
    usual = 0.9 if figure == "personalised" else 0.0
    outcomes = np.where(is_hit, 1 - usual, usual) * requests
    strata = [
        [
            sums_at_looks(outcomes, requests, stratum & arm)
            for arm in (~is_challenger, is_challenger)
        ]
        for stratum in (is_first, ~is_first)
    ]
    return any(
        harms({figure: [(one[look], other[look]) for one, other in strata]}, PLANNED)
        for look in range(LOOKS)
    )


@pytest.mark.parametrize("figure", ["failed", "personalised"])
@pytest.mark.parametrize("shares", [(0.9, 0.1), (0.1, 0.9), (0.97, 0.5)])
@pytest.mark.parametrize("outage", [0.03, 0.08, 0.3])
def test_a_change_of_share_after_an_outage_is_no_harm(figure, shares, outage):
    stopped = sum(stops(figure, seed, shares, outage) for seed in SEEDS)
    assert stopped <= ALPHA * len(SEEDS)

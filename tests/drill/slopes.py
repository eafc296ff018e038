"""How fast a figure grows: robust slopes of samples, and when a bound would be reached."""

from collections.abc import Sequence
from itertools import combinations
from math import inf
from statistics import median

Samples = Sequence[tuple[float, float]]
"""(time in seconds, value), in the order of time."""
WARM_UP = 1 / 3
"""The share of the samples that is left out: caches fill, pools open."""


def slope_per_hour(samples: Samples) -> float:
    """The median slope between any two samples after the warm-up (Theil and Sen); 0 for one.

    A single outlier, such as a training in one sample, does not move it.
    """
    settled = samples[int(len(samples) * WARM_UP) :]
    slopes = [
        (later - earlier) / (end - begin)
        for (begin, earlier), (end, later) in combinations(settled, 2)
        if end > begin
    ]
    return 3600 * median(slopes) if slopes else 0.0


def hours_until(bound: float, samples: Samples) -> float:
    """How long from the last sample until the bound is reached at that slope; inf for never."""
    slope = slope_per_hour(samples)
    return max(0.0, bound - samples[-1][1]) / slope if slope > 0 else inf

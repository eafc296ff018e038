"""Every algorithm that is tried in a training, by name.

An algorithm is three objects: a configuration (a frozen dataclass, saved as the version's
parameters), the algorithm (fits a configuration to interactions), and what it learned.
"""

from collections.abc import Mapping
from typing import Any

from trainer.algorithms.algorithm import Algorithm
from trainer.algorithms.als import Als
from trainer.algorithms.boosted_trees import BoostedTrees
from trainer.algorithms.ease import Ease
from trainer.algorithms.history import RecencyEase, RecencyTransitions
from trainer.algorithms.popularity import Popularity
from trainer.algorithms.svd import Svd, Svdpp

ALGORITHMS: Mapping[str, Algorithm[Any]] = {
    algorithm.name: algorithm
    for algorithm in (
        Popularity(),
        Ease(),
        Als(),
        Svd(),
        Svdpp(),
        RecencyEase(),
        RecencyTransitions(),
        BoostedTrees(),
    )
}
"""The simplest first: of those that rank alike, the first is taken."""

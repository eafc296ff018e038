"""Every algorithm there is, by name; each is imported when it is asked for.

An algorithm is three objects: a configuration (a frozen dataclass, saved as the version's
parameters), the algorithm (fits a configuration to interactions), and what it learned.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from trainer.algorithms.algorithm import Algorithm

PLACES = {
    "popularity": ("popularity", "Popularity"),
    "ease": ("ease", "Ease"),
    "gfcf": ("gfcf", "Gfcf"),
    "als": ("als", "Als"),
    "svd": ("svd", "Svd"),
    "svdpp": ("svd", "Svdpp"),
    "recency_ease": ("history", "RecencyEase"),
    "recency_transitions": ("history", "RecencyTransitions"),
    "boosted_trees": ("boosted_trees", "BoostedTrees"),
}
"""Module and class of each, the simplest first: of those that rank alike, the first is taken."""


class Registry(Mapping[str, Algorithm[Any]]):
    """The algorithms by name, in the order of `PLACES`."""

    def __getitem__(self, name: str) -> Algorithm[Any]:
        module, of_class = PLACES[name]
        algorithm: Algorithm[Any] = getattr(
            import_module(f"trainer.algorithms.{module}"), of_class
        )()
        return algorithm

    def __iter__(self) -> Iterator[str]:
        return iter(PLACES)

    def __len__(self) -> int:
        return len(PLACES)


ALGORITHMS = Registry()

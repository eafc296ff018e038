"""Boosted trees as plain arrays: whoever serves them needs nothing of what grew them."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from trainer.versions.item_models.item_model import Arrays

ROWS_AT_ONCE = 4_096

Features = NDArray[np.float32]
"""float32 [n, features]."""


@dataclass(frozen=True)
class Trees:
    """Binary trees whose values are added up; every tree's nodes stand in one list.

    A row goes to the left child where its feature is at most the threshold, else to the
    right one. Children stand after their parents; a leaf is its own child on both sides.
    """

    array_names: ClassVar[tuple[str, ...]] = (
        "tree_roots",
        "tree_features",
        "tree_thresholds",
        "tree_lefts",
        "tree_rights",
        "tree_values",
    )

    roots: NDArray[np.int32]
    """int32 [trees]: the node each tree begins with."""
    features: NDArray[np.int32]
    """int32 [nodes]: which feature is asked for."""
    thresholds: NDArray[np.float32]
    """float32 [nodes]."""
    lefts: NDArray[np.int32]
    """int32 [nodes]: the node where the feature is at most the threshold."""
    rights: NDArray[np.int32]
    """int32 [nodes]: the node where it is more."""
    values: NDArray[np.float64]
    """float64 [nodes]: what a leaf adds."""

    @classmethod
    def restore(cls, arrays: Arrays) -> Self:
        """Take the arrays it was saved as."""
        return cls(*(arrays[name] for name in cls.array_names))

    @classmethod
    def none(cls) -> Self:
        """No tree: nothing is added."""
        nodes = np.zeros(0, np.int32)
        return cls(nodes, nodes, np.zeros(0, np.float32), nodes, nodes, np.zeros(0))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays to save it as."""
        kept = (self.roots, self.features, self.thresholds, self.lefts, self.rights, self.values)
        return dict(zip(self.array_names, kept, strict=True))

    def score(self, rows: Features) -> NDArray[np.float64]:
        """float64 [n]: the sum over all trees.

        Args:
            rows: float32 [n, features], finite.
        """
        starts = range(ROWS_AT_ONCE, len(rows), ROWS_AT_ONCE)
        pieces = np.split(rows, starts)
        return np.concatenate([self._score(np.ascontiguousarray(piece.T)) for piece in pieces])

    def _score(self, columns: Features) -> NDArray[np.float64]:
        total = np.zeros(columns.shape[1])
        for start, end in pairwise([*self.roots.tolist(), len(self.values)]):
            total += self._tree(columns, start, end)
        return total

    def _tree(self, columns: Features, start: int, end: int) -> NDArray[np.float64]:
        """What one tree adds to each row: from its leaves up, for all rows at once."""
        nodes = slice(start, end)
        values: list[Any] = self.values[nodes].tolist()
        asked = (self.features, self.thresholds, self.lefts, self.rights)
        questions = list(zip(*(array[nodes].tolist() for array in asked), strict=True))
        for node in range(len(values) - 1, -1, -1):
            feature, threshold, left, right = questions[node]
            if left != right:
                chosen = columns[feature] <= threshold
                values[node] = np.where(chosen, values[left - start], values[right - start])
        return np.asarray(values[0])

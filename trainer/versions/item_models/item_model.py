"""What every kind of item model can do; whoever uses one asks it, and not what kind it is.

A rating of NaN stands for a movie that was watched, unrated.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Items = NDArray[np.int32]
Scores = NDArray[np.float32]
Ratings = NDArray[np.float32]
Contributions = NDArray[np.float32]
"""float32 [own items, targets]."""
Similarity = NDArray[np.float32]
"""float32 [n, n], 0 to 1: how alike some items are to a model."""
Arrays = Mapping[str, NDArray[Any]]
Parameters = Mapping[str, Any]

NOTHING = np.float32(1e-12)
"""What is divided by instead of zero."""


class ItemModel(Protocol):
    """What is kept of a fitted model: it scores every item for somebody it never met."""

    array_names: ClassVar[tuple[str, ...]]
    """Names of the arrays it is saved as."""
    logarithmic: ClassVar[bool]
    """Whether its scores are logarithms of evidence, and not evidence itself."""
    includes_popularity: ClassVar[bool]
    """Whether popularity has a place in its scores already."""
    exactness: ClassVar[str]
    """How far its contributions can be taken at their word, for people."""

    @classmethod
    def restore(cls, parameters: Parameters, popular: Items, arrays: Arrays) -> Self:
        """Rebuild it from the algorithm's parameters and the arrays it was saved as."""
        ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays to save it as, by the names in `array_names`."""
        ...

    def fold_in(self, items: Items, ratings: Ratings) -> Scores:
        """Score every item for somebody who rated `items`.

        Args:
            items: int32 [n], item indices, each at most once, in order of time: the latest last.
            ratings: float32 [n], on the stream's scale; NaN for watched but not rated.

        Returns:
            float32 [number of items], the higher the better; `items` are scored as well.
        """
        ...

    def contributions(self, items: Items, ratings: Ratings, targets: Items) -> Contributions:
        """What each of somebody's items did to the score of each target.

        Args:
            items: int32 [n], as for `fold_in`.
            ratings: float32 [n], as for `fold_in`.
            targets: int32 [m], the items that were scored.

        Returns:
            float32 [n, m], on the model's own scale; all zero where everybody gets the same.
        """
        ...

    def similar(self, items: Items) -> Similarity | None:
        """How alike some items are: float32 [n, n], 0 to 1; None if it does not know.

        Args:
            items: int32 [n].
        """
        ...


@runtime_checkable
class BatchModel(Protocol):
    """An item model that folds several people in at once, faster than one after the other."""

    def score(self, indptr: NDArray[np.int64], items: Items, ratings: Ratings) -> Scores:
        """Score every item for some histories, as `fold_in` does for one.

        Args:
            indptr: int64 [n + 1], where each history starts.
            items: int32 [interactions], oldest first in each history.
            ratings: float32 [interactions], NaN for watched but not rated.

        Returns:
            float32 [n, number of items].
        """
        ...

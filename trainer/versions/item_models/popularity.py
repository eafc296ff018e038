"""What is popular: the same for everybody."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from trainer.versions.item_models.item_model import (
    Arrays,
    Contributions,
    Items,
    Parameters,
    Ratings,
    Scores,
    Similarity,
)


@dataclass(frozen=True)
class PopularityModel:
    """The items by how many people met them; the same for everybody."""

    array_names: ClassVar[tuple[str, ...]] = ()
    logarithmic: ClassVar[bool] = True
    includes_popularity: ClassVar[bool] = True
    exactness: ClassVar[str] = "none: this model ranks the same for everybody"

    popular: Items
    """int32 [items]: item indices, most popular first."""

    @classmethod
    def restore(cls, parameters: Parameters, popular: Items, arrays: Arrays) -> Self:
        """Popularity is saved as the version's popular list, and nothing else."""
        del parameters, arrays
        return cls(popular)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Nothing beside the popular list that each version has."""
        return {}

    def fold_in(self, items: Items, ratings: Ratings) -> Scores:
        """The place from the end of the popular list; `items` and `ratings` change nothing."""
        del items, ratings
        scores = np.empty(len(self.popular), np.float32)
        scores[self.popular] = np.arange(len(self.popular), 0, -1)
        return scores

    def contributions(self, items: Items, ratings: Ratings, targets: Items) -> Contributions:
        """Nothing: whatever somebody did, everybody gets the same."""
        del ratings
        return np.zeros((len(items), len(targets)), np.float32)

    def similar(self, items: Items) -> Similarity | None:
        """It does not know."""
        del items
        return None

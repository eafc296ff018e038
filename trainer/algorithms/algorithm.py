"""What an algorithm has to offer to be trained, judged and served."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from trainer.algorithms.suggestions import Suggestions
from trainer.data.interactions import Interactions, Scale
from trainer.versions.item_models.item_model import ItemModel, Scores

Rows = NDArray[np.int32]


class FittedModel(Protocol):
    """What an algorithm learned of the users and items it was fitted to."""

    @property
    def item_model(self) -> ItemModel:
        """What is saved of it."""
        ...

    def score(self, rows: Rows) -> Scores:
        """Score every item for some users.

        Args:
            rows: int32 [n], rows of the matrix it was fitted to.

        Returns:
            float32 [n, items], the higher the better, items they know included.
        """
        ...


@runtime_checkable
class RatingModel(FittedModel, Protocol):
    """A model that also says how a user would rate an item."""

    def predict(self, rows: Rows, items: NDArray[np.int32]) -> NDArray[np.float32]:
        """float32 [n]: the predicted rating of each pair, within the scale.

        Args:
            rows: int32 [n].
            items: int32 [n].
        """
        ...


@runtime_checkable
class ReusableModel(FittedModel, Protocol):
    """A model of which much stays the same under another configuration."""

    def reused(self, configuration: Any) -> FittedModel | None:
        """What `fit` would give for the same data; None where it has to be fitted anew."""
        ...


class Algorithm[Configuration](Protocol):
    """A way to learn from interactions."""

    @property
    def name(self) -> str:
        """Its name in versions, figures and settings."""
        ...

    def candidates(self, scale: Scale) -> Sequence[Configuration]:
        """The configurations to choose from on validation; the usual one first."""
        ...

    def configure(self, **parameters: Any) -> Configuration:
        """The configuration that a version's parameters say."""
        ...

    def fit(self, interactions: Interactions, configuration: Configuration) -> FittedModel:
        """Learn from interactions; the same interactions and configuration give the same numbers.

        Raises:
            UnsuitableDataError: it cannot be fitted to these.
        """
        ...


@runtime_checkable
class SearchedAlgorithm(Protocol):
    """An algorithm whose configuration can be searched for."""

    @property
    def name(self) -> str:
        """Its name in versions, figures and settings."""
        ...

    def suggest(self, trial: Suggestions, usual: Any) -> Any:
        """A configuration around a usual one."""
        ...

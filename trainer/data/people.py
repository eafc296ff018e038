"""Of which kind people are, as far as it is known: by gender and decade of age, by occupation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

type DemographicGroup = tuple[str | None, int | None, str | None]
"""Gender, decade of age, occupation; None where it is not known."""


@dataclass(frozen=True)
class DemographicGroups:
    """The groups that people are in."""

    ages: NDArray[np.int32]
    """int32 [users]: by gender and decade; -1 for people of whom nothing is known."""
    occupations: NDArray[np.int32]
    """int32 [users]: likewise."""

    @classmethod
    def assemble(
        cls, users: NDArray[np.int64], people: Sequence[tuple[DemographicGroup, NDArray[np.int64]]]
    ) -> Self:
        """Find the groups of some users (ids, ascending) among people of each kind."""
        by_age = sorted({kind[:2] for kind, _ in people}, key=str)
        by_work = sorted({kind[2] for kind, _ in people}, key=str)
        ages, occupations = (np.full(len(users), -1, np.int32) for _ in range(2))
        for kind, ids in people:
            rows = np.searchsorted(users, ids)
            rows = rows[(rows < len(users)) & (users[np.minimum(rows, len(users) - 1)] == ids)]
            ages[rows] = by_age.index(kind[:2])
            occupations[rows] = by_work.index(kind[2])
        return cls(ages, occupations)

    @classmethod
    def unknown(cls, users: int) -> Self:
        """Nothing is known of anybody."""
        return cls(*(np.full(users, -1, np.int32) for _ in range(2)))

    @property
    def known(self) -> NDArray[np.bool_]:
        """Of whom anything is known, bool [users]."""
        return self.ages >= 0

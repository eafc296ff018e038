"""Whose lists are computed at training, and these lists, computed as they are written.

A list that nobody asks for takes time and room for nothing. Who did nothing lately gets theirs
from a slot at their first request, folded in from what the version keeps of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from trainer.algorithms.algorithm import FittedModel, Rows
from trainer.data.interactions import Interactions
from trainer.evaluation.top_lists import rank
from trainer.versions.contents import LIST_LENGTH, TopLists

MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class ComputedLists:
    """Users' lists, computed as they are asked for: all of them need not fit into memory."""

    model: FittedModel
    interactions: Interactions
    rows: Rows
    """int32 [lists]: whose."""

    def pieces(self) -> Iterator[TopLists]:
        """The lists of some users at a time."""
        for _, lists in rank(self.model, self.interactions, self.rows, LIST_LENGTH):
            yield lists


def rows_with_lists(
    interactions: Interactions, sources: Mapping[str, Sequence[str]], active_for: timedelta
) -> Rows | None:
    """The users who are likely to come, and for whom the model is asked when they do.

    Args:
        interactions: all that is known of everybody.
        sources: what is asked from how many things done on, as a manifest states it.
        active_for: who did something so long before the newest interaction, or later.

    Returns:
        int32 [lists], ascending: their rows; None where that is everybody.
    """
    latest = interactions.times[interactions.indptr[1:] - 1]
    is_active = latest >= latest.max() - active_for // MICROSECOND
    asked = _is_model_asked(np.diff(interactions.indptr), sources)
    has_list = is_active & asked
    return None if has_list.all() else np.flatnonzero(has_list).astype(np.int32)


def _is_model_asked(
    done: NDArray[np.int64], sources: Mapping[str, Sequence[str]]
) -> NDArray[np.bool_]:
    """Bool [users]: whether the model is asked after so many things done."""
    numbers = sorted(int(number) for number in sources)
    asked = np.array(["model" in sources[str(number)] for number in numbers])
    return asked[np.searchsorted(numbers, done, "right") - 1]

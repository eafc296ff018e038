"""From scores to lists: each user's best items, best first, without those they know."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trainer.algorithms.algorithm import FittedModel, Rows
from trainer.artifact import PADDING, TopLists
from trainer.interactions import Interactions
from trainer.models import Items, Scores

USERS_AT_ONCE = 256


def rank(
    model: FittedModel, history: Interactions, rows: Rows, length: int
) -> Iterator[tuple[Rows, TopLists]]:
    """Rank every item but those in a user's history, for some users at a time.

    Args:
        model: fitted to `history`.
        history: what each user knows.
        rows: int32 [n], the users to rank for.
        length: items in each list.

    Yields:
        A piece of `rows` and the lists of these users.
    """
    popular = history.popular()
    known = history.matrix(np.ones(len(history), np.float32))
    for start in range(0, len(rows), USERS_AT_ONCE):
        piece = rows[start : start + USERS_AT_ONCE]
        scores = model.score(piece)
        scores[known[piece].nonzero()] = -np.inf
        yield piece, best_items(scores, popular, length)


def best_items(scores: Scores, popular: Items, length: int) -> TopLists:
    """The best of each row of scores; of equal ones the more popular.

    Args:
        scores: float32 [n, items]; minus infinity for what must not be listed.
        popular: int32 [items], every item, most popular first.
        length: items in each list; where fewer may be listed, the rest is padding.
    """
    items = np.full((len(scores), length), PADDING, np.int32)
    values = np.zeros((len(scores), length), np.float32)
    for row, by_popularity in enumerate(scores[:, popular]):
        best = _best_places(by_popularity, length)
        items[row, : len(best)] = popular[best]
        values[row, : len(best)] = by_popularity[best]
    return TopLists(items, values)


def _best_places(scores: Scores, length: int) -> NDArray[np.intp]:
    if length < len(scores):
        places = np.flatnonzero(scores >= np.partition(scores, -length)[-length])
    else:
        places = np.arange(len(scores))
    best = places[np.argsort(-scores[places], kind="stable")][:length]
    return best[scores[best] > -np.inf]

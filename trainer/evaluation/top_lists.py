"""From scores to lists: each user's best items, best first, without those they know."""

from collections.abc import Iterator, Sequence

import numba
import numpy as np

from trainer.algorithms.algorithm import FittedModel, Rows
from trainer.data.interactions import Interactions
from trainer.versions.contents import PADDING, TopLists
from trainer.versions.item_models.item_model import Items, Scores
from trainer.versions.popularity_prior import Held

USERS_AT_ONCE = 64
"""With more, their scores no longer stay in the CPU's cache."""


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
    for piece, tops in rank_held(model, [None], history, rows, length):
        yield piece, tops[0]


def rank_held(
    model: FittedModel,
    held: Sequence[Held | None],
    history: Interactions,
    rows: Rows,
    length: int,
) -> Iterator[tuple[Rows, list[TopLists]]]:
    """The same for scores that are held in several ways, or not (None): a list for each way."""
    popular = history.popular()
    known = history.matrix(np.ones(len(history), np.float32))
    for start in range(0, len(rows), USERS_AT_ONCE):
        piece = rows[start : start + USERS_AT_ONCE]
        scores, met = model.score(piece), known[piece].nonzero()
        ways = [way(scores, model.item_model) if way else scores for way in held]
        for each in ways:
            each[met] = -np.inf
        yield piece, [best_items(each, popular, length) for each in ways]


def best_items(scores: Scores, popular: Items, length: int) -> TopLists:
    """The best of each row of scores; of equal ones the more popular.

    Args:
        scores: float32 [n, items]; minus infinity for what must not be listed.
        popular: int32 [items], every item, most popular first.
        length: items in each list; where fewer may be listed, the rest is padding.
    """
    items = np.full((len(scores), length), PADDING, np.int32)
    values = np.zeros((len(scores), length), np.float32)
    _insert_best(scores, popular, items, values)
    return TopLists(items, values)


@numba.njit(cache=True)
def _insert_best(scores: Scores, popular: Items, items: Items, values: Scores) -> None:
    """Keep each row's best so far in order: most movies are not even compared with them."""
    length = items.shape[1]
    for row in range(len(scores)):
        kept, least = 0, np.float32(-np.inf)
        for item in popular:
            score = scores[row, item]
            if score <= least:
                continue
            place = min(kept, length - 1)
            while place > 0 and values[row, place - 1] < score:
                items[row, place] = items[row, place - 1]
                values[row, place] = values[row, place - 1]
                place -= 1
            items[row, place], values[row, place] = item, score
            kept = min(kept + 1, length)
            if kept == length:
                least = values[row, length - 1]

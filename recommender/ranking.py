"""Which movies a user is answered with, and why those: no I/O, no clock, no chance."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Literal, NamedTuple

import numpy as np

from trainer.artifact import ANSWER_LENGTH, ModelVersion
from trainer.models import Scores

Reason = Literal["model", "fold_in", "popular"]
Recent = Mapping[str, float]
"""What a user rated or watched since the model was trained: movie id to rating, NaN if unrated."""


class Answer(NamedTuple):
    """The movies, best first, and how the list came about."""

    movie_ids: list[str]
    reason: Reason


def answer(user_id: int, model: ModelVersion, recent: Recent) -> Answer:
    """The best movies for a user, none of which they have rated or watched.

    20 of them, or as many as the catalogue has left for this user; what the preferred
    list lacks is filled up by popularity.
    """
    seen = _known_items(model, recent)
    preferred, reason = _preferred(user_id, model, seen)
    chosen = list(islice(_unseen(preferred, seen), ANSWER_LENGTH))
    if len(chosen) < ANSWER_LENGTH:
        taken = {*chosen, *seen, *model.seen_items(user_id).tolist()}
        chosen += islice(_popular(model, taken), ANSWER_LENGTH - len(chosen))
    movies = model.movies
    return Answer([movies[item] for item in chosen], reason)


def _known_items(model: ModelVersion, recent: Recent) -> dict[int, float]:
    index = model.movie_index
    return {index[movie]: rating for movie, rating in recent.items() if movie in index}


def _preferred(
    user_id: int, model: ModelVersion, seen: Mapping[int, float]
) -> tuple[Iterable[int], Reason]:
    top = model.top_list(user_id)
    if top is not None:
        return top[: ANSWER_LENGTH + len(seen)].tolist(), "model"
    if seen:
        return _folded_in(model, seen), "fold_in"
    return (), "popular"


def _folded_in(model: ModelVersion, seen: Mapping[int, float]) -> list[int]:
    items = np.fromiter(seen.keys(), np.int32, len(seen))
    ratings = np.fromiter(seen.values(), np.float32, len(seen))
    scores = model.fold_in(items, ratings)
    return best_items(model, scores, ANSWER_LENGTH + len(seen))


def best_items(model: ModelVersion, scores: Scores, count: int) -> list[int]:
    """The items of the highest scores, best first; of equal ones the more popular."""
    order = np.argsort(-scores[model.popular], kind="stable")[:count]
    best: list[int] = model.popular[order].tolist()
    return best


def _popular(model: ModelVersion, taken: Collection[int]) -> Iterator[int]:
    """Enough of the popular list: no more of its beginning than `taken` can be taken."""
    return _unseen(model.popular[: ANSWER_LENGTH + len(taken)].tolist(), taken)


def _unseen(items: Iterable[int], seen: Collection[int]) -> Iterator[int]:
    return (item for item in items if item not in seen)

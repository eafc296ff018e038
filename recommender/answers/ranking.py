"""Which movies a user is answered with, and why those: no I/O, no clock, no chance."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import isnan
from typing import Literal, NamedTuple

import numpy as np

from recommender.activity.recent import Recent
from recommender.answers.diversity import rerank
from trainer.versions.artifact import ANSWER_LENGTH, LIST_LENGTH, ModelVersion
from trainer.versions.item_models import Items, Scores

Reason = Literal["model", "fold_in", "people", "lately", "popular"]
"""How a list came about: the first of these that had something to say.

model: computed at training; fold_in: scored now, from what the user did until now; people:
what people like this user know; lately: popular lately; popular: popular ever.
"""
NO_ITEMS = np.empty(0, np.int32)
NO_SCORES = np.empty(0, np.float32)


class Fallback(NamedTuple):
    """Movies for somebody of whom the model knows nothing, and to fill up short lists."""

    people: Sequence[str] = ()
    """Movie ids that people like this user know, best first."""
    lately: Sequence[str] = ()
    """Movie ids that were popular lately, most popular first."""


NO_FALLBACK = Fallback()


class Answer(NamedTuple):
    """The movies, best first, and how the list came about."""

    movie_ids: list[str]
    scores: list[float]
    """Of the first movies, those that were scored for this user; the others fill the list up."""
    reason: Reason


class Personal(NamedTuple):
    """A list for one user, without anything they know."""

    items: Items
    """int32 [n], best first."""
    scores: Scores
    """float32 [n]."""
    reason: Reason


def answer(  # noqa: PLR0913, PLR0917 -- a user, a model and the four things a list depends on
    user_id: int,
    model: ModelVersion,
    recent: Recent,
    fallback: Fallback = NO_FALLBACK,
    count: int = ANSWER_LENGTH,
    diversity: float = 0.0,
) -> Answer:
    """The best movies for a user, none of which they have rated or watched.

    `count` of them, or as many as the catalogue has left for this user.

    Args:
        user_id: anybody, known or not.
        model: what to rank by.
        recent: what they did since the model was trained.
        fallback: what fills up a list, before what is popular ever.
        count: how many movies, 1 to 100.
        diversity: 0 ranks by score alone, 1 by difference alone; see `rerank`.
    """
    since = items_of(model, recent)
    personal = personal_list(user_id, model, since)
    items, scores = rerank(model.contents.model, personal.items, personal.scores, diversity, count)
    chosen, reason = items.tolist(), personal.reason
    if len(chosen) < count:
        taken = {*chosen, *since, *model.seen_items(user_id).tolist()}
        for name, more in _fillers(model, fallback, count + len(taken)):
            fresh = (item for item in dict.fromkeys(more) if item not in taken)
            added = list(islice(fresh, count - len(chosen)))
            reason = reason if chosen or not added else name
            chosen += added
            taken.update(added)
    movies = model.movies
    return Answer([movies[item] for item in chosen], scores.tolist(), reason)


def items_of(model: ModelVersion, recent: Recent) -> dict[int, float]:
    """The same by item index; movies that the model never met are left out."""
    index = model.movie_index
    return {index[movie]: rating for movie, rating in recent.items() if movie in index}


def history(user_id: int, model: ModelVersion, since: Mapping[int, float]) -> dict[int, float]:
    """All that a user rated (NaN: watched), the latest last, as a training now would see it.

    Empty but for `since` if the version did not keep the ratings it was trained on.
    """
    ratings = model.seen_ratings(user_id)
    known: dict[int, float] = {}
    if ratings is not None:
        known = dict(zip(model.seen_items(user_id).tolist(), ratings.tolist(), strict=True))
    later = {
        item: rating for item, rating in since.items() if not isnan(rating) or item not in known
    }
    return {item: rating for item, rating in known.items() if item not in later} | later


def personal_list(user_id: int, model: ModelVersion, since: Mapping[int, float]) -> Personal:
    """At most 100 movies scored for this user; none if nothing is known that says anything."""
    row = model.row(user_id)
    if row is not None and (not since or model.seen_ratings(user_id) is None):
        return _computed_at_training(model, row, since)
    if since:
        return _folded_in(user_id, model, since)
    return Personal(NO_ITEMS, NO_SCORES, "popular")


def _computed_at_training(model: ModelVersion, row: int, since: Mapping[int, float]) -> Personal:
    top = model.contents.top
    items = top.items[row]
    listed = items >= 0
    if since:
        listed &= ~np.isin(items, list(since))
    return Personal(items[listed], top.scores[row][listed], "model")


def _folded_in(user_id: int, model: ModelVersion, since: Mapping[int, float]) -> Personal:
    known = history(user_id, model, since)
    seen = np.fromiter(known.keys(), np.int32, len(known))
    scores = model.fold_in(seen, np.fromiter(known.values(), np.float32, len(known)))
    if np.ptp(scores) == 0:
        return Personal(NO_ITEMS, NO_SCORES, "popular")
    scores[seen] = scores[model.seen_items(user_id)] = -np.inf
    items = best_items(model, scores, LIST_LENGTH)
    return Personal(items, scores[items], "fold_in")


def best_items(model: ModelVersion, scores: Scores, count: int) -> Items:
    """The items of the highest scores, best first; of equal ones the more popular.

    Args:
        model: whose items these are.
        scores: float32 [items]; minus infinity for what must not be listed.
        count: how many at most.
    """
    by_popularity = scores[model.popular]
    places = np.flatnonzero(by_popularity > -np.inf)
    if count < len(places):
        cut = np.partition(by_popularity, -count)[-count]
        places = np.flatnonzero(by_popularity >= cut)
    best = places[np.argsort(-by_popularity[places], kind="stable")][:count]
    items: Items = model.popular[best]
    return items


def _fillers(
    model: ModelVersion, fallback: Fallback, enough: int
) -> Iterator[tuple[Reason, Iterable[int]]]:
    yield "people", items_in_order(model, fallback.people)
    yield "lately", items_in_order(model, fallback.lately)
    yield "popular", model.popular[:enough].tolist()


def items_in_order(model: ModelVersion, movies: Iterable[str]) -> Iterator[int]:
    """Their item indices; movies that the model never met are left out."""
    index = model.movie_index
    return (index[movie] for movie in movies if movie in index)

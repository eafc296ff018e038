"""Which movies a user is answered with, and why those: no I/O, no clock, no chance."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import isnan
from typing import Literal, NamedTuple

import numpy as np

from recommender.activity.recent import Recent
from recommender.answers.diversity import rerank
from trainer.versions.contents import ANSWER_LENGTH, LIST_LENGTH, ModelVersion, UserRecord
from trainer.versions.item_models.item_model import Items, Scores

Reason = Literal["model", "fold_in", "people", "lately", "popular"]
"""How a list came about: the first of these that had something to say.

model: computed at training; fold_in: scored now, from what the user did until now; people:
what people like this user know; lately: trending; popular: popular ever.
"""
IMPERSONAL: tuple[Reason, ...] = ("people", "lately", "popular")
"""Sources that ask for nothing of what a user did."""
NO_ITEMS = np.empty(0, np.int32)
NO_SCORES = np.empty(0, np.float32)


class Fallback(NamedTuple):
    """Movies for somebody of whom the model knows nothing, and to fill up short lists."""

    people: Sequence[str] = ()
    """Movie ids that people like this user know, best first."""
    trending: Sequence[str] = ()
    """Movie ids that are trending, most popular first."""


NO_FALLBACK = Fallback()


class Answer(NamedTuple):
    """The movies, best first, and how the list came about."""

    movie_ids: list[str]
    scores: list[float]
    """Of the first movies, those that were scored for this user; the others fill the list up."""
    reason: Reason


class Ranked(NamedTuple):
    """A list for one user, and what must not fill it up."""

    items: Items
    """int32 [n], at most 100, best first; none that the user knows."""
    scores: Scores
    """float32 [n]."""
    reason: Reason
    user: UserRecord
    since: Mapping[int, float]
    """What the user rated or watched since the training, by item index."""


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
    ranked = rank(model, model.user(user_id), items_of(model, recent))
    return filled_up(model, ranked, fallback, count, diversity)


def filled_up(
    model: ModelVersion, ranked: Ranked, fallback: Fallback, count: int, diversity: float
) -> Answer:
    """A ranked list at this length, see `answer`; a shorter one is the beginning of a longer."""
    items, scores = rerank(model.contents.model, ranked.items, ranked.scores, diversity, count)
    order, own, reason = _order(model, ranked), items.tolist(), ranked.reason
    chosen = own if order[0] == reason else []
    if len(chosen) < count:
        said = _sources(model, order, fallback, ranked, own)
        chosen, reason = _filled(chosen, said, ranked, count)
    movies = model.movies
    scored = scores.tolist() if reason == ranked.reason else []
    return Answer([movies[item] for item in chosen], scored, reason)


def _filled(
    chosen: Sequence[int],
    sources: Iterable[tuple[Reason, Iterable[int]]],
    ranked: Ranked,
    count: int,
) -> tuple[list[int], Reason]:
    """So many items, those chosen before others that the user does not know; where they begin."""
    found, reason = [*chosen], ranked.reason
    taken = {*chosen, *ranked.since, *ranked.user.seen.tolist()}
    for name, more in sources:
        fresh = (item for item in dict.fromkeys(more) if item not in taken)
        added = list(islice(fresh, count - len(found)))
        reason = reason if found or not added else name
        found += added
        taken.update(added)
    return found, reason


def depends_on_fallback(model: ModelVersion, ranked: Ranked) -> bool:
    """Whether something is asked before what was ranked for the user."""
    return _order(model, ranked)[0] != ranked.reason


def _order(model: ModelVersion, ranked: Ranked) -> list[Reason]:
    """What is asked for this user, in the order that the version's manifest states."""
    asked = model.manifest.asked_after(len({*ranked.since, *ranked.user.seen.tolist()}))
    own = _own_source(ranked.user)
    said: dict[str, Reason] = {name: name for name in IMPERSONAL}
    if len(ranked.items):
        said[own] = ranked.reason
    order = [said[name] for name in asked if name in said]
    # there was no time to see that who has a list did too much by now for the model to be asked
    return [ranked.reason, *order] if own in said and own not in asked else order


def _own_source(user: UserRecord) -> Reason:
    """The source by which lists of a user's own are judged, be they computed then or now."""
    return "model" if user.is_known else "fold_in"


def items_of(model: ModelVersion, recent: Recent) -> dict[int, float]:
    """The same by item index; movies that the model never met are left out."""
    index = model.movie_index
    return {index[movie]: rating for movie, rating in recent.items() if movie in index}


def history(user: UserRecord, since: Mapping[int, float]) -> dict[int, float]:
    """All that a user rated (NaN: watched), the latest last, as a training now would see it.

    Empty but for `since` if the version did not keep the ratings it was trained on.
    """
    known: dict[int, float] = {}
    if user.ratings is not None:
        known = dict(zip(user.seen.tolist(), user.ratings.tolist(), strict=True))
    later = {
        item: rating for item, rating in since.items() if not isnan(rating) or item not in known
    }
    return {item: rating for item, rating in known.items() if item not in later} | later


def takes_time(user: UserRecord, since: Mapping[int, float]) -> bool:
    """Whether the model has to score every item anew, which takes up to tens of milliseconds.

    For who did something since the training, and for who has no list from it: they were not
    active before it.
    """
    if user.awaits_list:
        return True
    return bool(since) and (not user.is_known or user.ratings is not None)


def rank(model: ModelVersion, user: UserRecord, since: Mapping[int, float]) -> Ranked:
    """Movies scored for this user; none if nothing is known that says anything."""
    if takes_time(user, since):
        return _folded_in(model, user, since)
    return rank_at_once(user, since)


def rank_at_once(user: UserRecord, since: Mapping[int, float]) -> Ranked:
    """What was computed at training, without what the user came to know since."""
    if not user.is_known:
        return Ranked(NO_ITEMS, NO_SCORES, "popular", user, since)
    if not since:
        return Ranked(user.top_items, user.top_scores, "model", user, since)
    unknown = ~np.isin(user.top_items, list(since))
    return Ranked(user.top_items[unknown], user.top_scores[unknown], "model", user, since)


def _folded_in(model: ModelVersion, user: UserRecord, since: Mapping[int, float]) -> Ranked:
    known = history(user, since)
    if _own_source(user) not in model.manifest.asked_after(len(known)):
        return Ranked(NO_ITEMS, NO_SCORES, "popular", user, since)
    seen = np.fromiter(known.keys(), np.int32, len(known))
    scores = model.fold_in(seen, np.fromiter(known.values(), np.float32, len(known)))
    if np.ptp(scores) == 0:
        return Ranked(NO_ITEMS, NO_SCORES, "popular", user, since)
    scores[seen] = scores[user.seen] = -np.inf
    items = highest_scored(model, scores, LIST_LENGTH)
    return Ranked(items, scores[items], "fold_in", user, since)


def highest_scored(model: ModelVersion, scores: Scores, count: int) -> Items:
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


def _sources(
    model: ModelVersion,
    order: Sequence[Reason],
    fallback: Fallback,
    ranked: Ranked,
    chosen: Sequence[int],
) -> Iterator[tuple[Reason, Iterable[int]]]:
    """What each source of an order has to say; `chosen` is what was ranked for the user."""
    enough = LIST_LENGTH + len(ranked.since) + len(ranked.user.seen)
    said: dict[Reason, Iterable[int]] = {
        "people": items_in_order(model, fallback.people),
        "lately": items_in_order(model, fallback.trending),
        "popular": model.popular[:enough].tolist(),
    }
    for name in order:
        yield name, said.get(name, chosen)


def items_in_order(model: ModelVersion, movies: Iterable[str]) -> Iterator[int]:
    """Their item indices; movies that the model never met are left out."""
    index = model.movie_index
    return (index[movie] for movie in movies if movie in index)

"""What the data of a training is like, how it differs from the last time, and what is alarming."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.data.interactions import Interactions, Scale
from trainer.data.likes import FEW, decide_likes, people_to_judge_by

SHRUNK = 0.5
"""With less than this share of the last version's interactions, something was lost."""
TOP = 100
"""One movie in so many is among the top."""
SHIFTED = 0.25
"""Population stability index from which ratings are said to be of another kind."""


@dataclass(frozen=True)
class LastVersion:
    """What the last version knew, as far as it can still be read."""

    report: Mapping[str, Any]
    users: NDArray[np.int64]
    movies: Sequence[str]


def data_report(
    interactions: Interactions, last: LastVersion | None, scale: Scale
) -> dict[str, Any]:
    """Counts, ranges and shares; against the last version where there is one.

    `notes` says what keeps this data from telling good from bad, though nothing is wrong with it.

    `viewings_liked` says what counts as a like; see `trainer.data.likes`.

    `top_share` is the share of the interactions that the most popular hundredth of movies has.
    `rating_shares` has the share of each rating given. `drift` is the population stability
    index of these: the sum of (p - q) log(p / q), 0 when nothing changed.
    """
    rated = ~np.isnan(interactions.ratings)
    lengths = np.diff(interactions.indptr)
    counts = interactions.counts()
    scale = decide_likes(interactions, scale)
    found: dict[str, Any] = {
        "ratings": int(rated.sum()),
        "viewings_unrated": int((~rated).sum()),
        "density": len(interactions) / (len(interactions.users) * len(interactions.movies)),
        "per_user": _spread(lengths),
        "per_movie": _spread(counts),
        "top_share": float(np.sort(counts)[-math.ceil(len(counts) / TOP) :].sum() / counts.sum()),
        "viewings_liked": scale.viewings_liked,
        "rating_shares": _shares(interactions.ratings[rated]),
        "movies_with_year": float((interactions.catalogue.years > 0).mean()),
        "movies_with_genres": float(interactions.catalogue.genres.any(axis=1).mean()),
    }
    if last:
        found |= _against(interactions, found["rating_shares"], last)
    found["notes"] = list(_notes(interactions, scale))
    return found | {"alarms": _alarms(len(interactions), found, last)}


def _notes(interactions: Interactions, scale: Scale) -> Iterator[str]:
    rated = interactions.ratings[~np.isnan(interactions.ratings)]
    if scale.viewings_liked:
        few = f"only {len(rated):,} ratings" if len(rated) else "nobody rated anything"
        yield f"{few}: a viewing counts as a like, in what is judged and learned"
    if len(rated) and rated.max() <= scale.highest / 2:
        yield f"no rating above {rated.max():g} was seen on a scale to {scale.highest:g}"
    if len(rated) and (rated.max() > scale.highest or rated.min() < scale.lowest):
        yield (
            f"ratings from {rated.min():g} to {rated.max():g} were seen"
            f" on a scale from {scale.lowest:g} to {scale.highest:g}"
        )
    liked = scale.liked.rating
    if len(rated) and scale.highest / 2 < rated.max() < liked:
        yield f"no rating from {liked:g} on was seen: from there on a movie counts as liked"
    judged = people_to_judge_by(interactions, scale.liked)
    if judged < FEW:
        yield (
            f"{judged:,} people did two things or more and liked one: too few to judge"
            " an algorithm by"
        )


def _spread(numbers: NDArray[np.int64]) -> dict[str, float]:
    low, middle, high = np.quantile(numbers, [0, 0.5, 1])
    return {"least": float(low), "median": float(middle), "most": float(high)}


def _shares(ratings: NDArray[np.float32]) -> dict[str, float]:
    values, numbers = np.unique(ratings, return_counts=True)
    pairs = zip(values.tolist(), numbers.tolist(), strict=True)
    return {f"{value:g}": number / len(ratings) for value, number in pairs}


def _against(
    interactions: Interactions, shares: Mapping[str, float], last: LastVersion
) -> dict[str, float]:
    movies = set(last.movies)
    unseen = [movie not in movies for movie in interactions.movies]
    return {
        "users_unseen": float(np.isin(interactions.users, last.users, invert=True).mean()),
        "movies_unseen": float(np.mean(unseen)),
        "drift": _stability(last.report.get("report", {}).get("rating_shares", {}), shares),
    }


def _stability(before: Mapping[str, float], now: Mapping[str, float]) -> float:
    if not before or not now:
        return 0.0
    values = sorted({*before, *now})
    p = np.array([max(before.get(value, 0), 1e-4) for value in values])
    q = np.array([max(now.get(value, 0), 1e-4) for value in values])
    return float(((p - q) * np.log(p / q)).sum())


def _alarms(size: int, found: Mapping[str, Any], last: LastVersion | None) -> list[str]:
    if last is None:
        return []
    alarms = []
    before = last.report["interactions"]
    if size < SHRUNK * before:
        alarms.append(f"{size:,} interactions, after {before:,} in the last version")
    if found["drift"] > SHIFTED:
        alarms.append(
            f"ratings are spread otherwise than in the last version: {found['drift']:.2f}"
        )
    return alarms

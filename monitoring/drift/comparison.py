"""What the newest lines are like beside a training's report, as shares and one index; no I/O."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

FEWEST_PAIRS = 1_000
"""Of fewer people's movies a share says little: a standard error is above one hundredth."""
FEWEST_RATINGS = 200
"""With fewer, the index of a stream that did not change comes near a half of what is alarming."""
LEAST_SHARE = 1e-4
"""What a rating that was never given counts as, so that its first does not weigh endlessly."""


@dataclass(frozen=True)
class RecentLines:
    """What people did of late, and the report of the training of what is live.

    A pair is a person and a movie that they watched or rated.
    """

    model_version: str
    trained: Mapping[str, Any]
    """`report` in the manifest's data; empty for a version from before there were reports."""
    ratings: Mapping[str, int]
    """How often each rating was given."""
    pairs: int
    rated_pairs: int
    pairs_with_new_movies: int
    pairs_with_top_movies: int
    """With the hundredth of movies that most people chose."""
    people: int
    new_people: int


@dataclass(frozen=True)
class Share:
    """A share now and at the training, None where its report does not tell."""

    what: str
    now: float
    trained: float | None = None


def rating_index(recent: RecentLines) -> float | None:
    """Population stability index of ratings, the sum of (p - q) log(p / q); 0: nothing changed.

    None where there are too few, or the training's report has none.
    """
    given = sum(recent.ratings.values())
    before: Mapping[str, float] = recent.trained.get("rating_shares", {})
    if given < FEWEST_RATINGS or not before:
        return None
    now = {value: number / given for value, number in recent.ratings.items()}
    pairs = (
        (max(before.get(value, 0), LEAST_SHARE), max(now.get(value, 0), LEAST_SHARE))
        for value in {*before, *now}
    )
    return sum((p - q) * math.log(p / q) for p, q in pairs)


def shares(recent: RecentLines) -> Iterator[Share]:
    """Shares of the people and pairs of late; none where there are too few."""
    if recent.pairs < FEWEST_PAIRS:
        return
    rated = recent.rated_pairs / recent.pairs
    rated_before = _rated(recent.trained)
    yield Share("new_people", recent.new_people / recent.people)
    yield Share("new_movies", recent.pairs_with_new_movies / recent.pairs)
    yield Share("rated", rated, rated_before)
    yield Share("only_watched", 1 - rated, None if rated_before is None else 1 - rated_before)
    top = recent.pairs_with_top_movies / recent.pairs
    yield Share("top_movies", top, recent.trained.get("top_share"))


def _rated(trained: Mapping[str, Any]) -> float | None:
    rated: float = trained.get("ratings", 0)
    pairs: float = rated + trained.get("viewings_unrated", 0)
    return rated / pairs if pairs else None

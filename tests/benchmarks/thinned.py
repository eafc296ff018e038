"""MovieLens small thinned to streams in which most people have done one thing or two.

Three real streams of that kind are known by their counts alone: events, people, and people
with two events or more. Each user of MovieLens is cut, from the first rating on, into people
who did a stretch of what the user did: so that what goes together stays together, and people
are at the beginning, whose movies are the usual ones. In a stretch the order is drawn at
random: that of MovieLens is the order of its own pages. Who returns does so by a heavy tail.
The third stream is a sixth of the real one, which has more events than MovieLens has ratings;
no rating is given to two people. Of two streams half the events are viewings, without a rating;
of one more, of no real stream's, all of them.

What a user did right after a stretch is known, too, and in no stream: it tells what lists made
from the whole stream are worth, of many more people than can be judged within it.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trainer.data.interactions import Interactions

SEED = 13
TAIL = 1.5
"""Exponent of the tail by which events a person grow, two at least."""


@dataclass(frozen=True)
class Shape:
    """A stream's counts."""

    events: int
    people: int
    returning: int
    """People with two events or more."""
    watched: float
    """Share of the events that are viewings without a rating."""


SHAPES = {
    "rare": Shape(25_199, 11_563, 1_469, 0.5),
    "rated": Shape(31_128, 13_357, 6_868, 0.0),
    "crowd": Shape(275_316 // 6, 205_593 // 6, 39_749 // 6, 0.5),
    "watched": Shape(25_199, 11_563, 1_469, 1.0),
}
"""By name: few return; half do, and all rate; many people, four fifths of them once; as few as
return in the first, and nobody rates."""

NEXT = 20
"""Ratings of a user after a stretch that tell what a list for it was worth."""


@dataclass(frozen=True)
class Stream:
    """A thinned stream, and what its people's users did next."""

    interactions: Interactions
    next: Interactions
    """With the same index maps."""


def thinned(interactions: Interactions, shape: Shape, seed: int = SEED) -> Stream:
    """Cut users into people until they have a stream's shape; the same seed cuts alike."""
    random = np.random.default_rng(seed)
    stretches = _cut(interactions, sizes(shape), random)
    watched = random.random(sum(len(each) for each in stretches)) < shape.watched
    shuffled = [random.permutation(each) for each in stretches]
    stream = _of_people(interactions, stretches)
    return Stream(
        replace(
            stream,
            items=interactions.items[np.concatenate(shuffled)],
            ratings=np.where(
                watched, np.nan, interactions.ratings[np.concatenate(shuffled)]
            ).astype(np.float32),
        ),
        _of_people(interactions, [_next(interactions, each) for each in stretches]),
    )


def _of_people(interactions: Interactions, stretches: list[NDArray[np.int64]]) -> Interactions:
    """Each stretch as a person of its own."""
    places = np.concatenate(stretches)
    return replace(
        interactions,
        users=np.arange(1, len(stretches) + 1),
        indptr=np.concatenate([[0], np.cumsum([len(each) for each in stretches])]),
        items=interactions.items[places],
        ratings=interactions.ratings[places],
        times=interactions.times[places],
    )


def _next(interactions: Interactions, stretch: NDArray[np.int64]) -> NDArray[np.int64]:
    after = stretch[-1] + 1
    end = interactions.indptr[np.searchsorted(interactions.indptr, stretch[-1], side="right")]
    return np.arange(after, min(after + NEXT, end))


def sizes(shape: Shape) -> NDArray[np.int64]:
    """int64 [people]: events of each, most first; quantiles of a Lomax distribution."""
    beyond = shape.events - shape.people - shape.returning
    places = (np.arange(shape.returning) + 0.5) / shape.returning
    lomax = places ** (-1 / TAIL) - 1
    low, high = 0.0, float(beyond)
    for _ in range(100):  # by bisection: the scale at which the events are as many
        scale = (low + high) / 2
        low, high = (scale, high) if np.floor(scale * lomax).sum() <= beyond else (low, scale)
    more = np.floor(low * lomax).astype(np.int64)
    more[: beyond - more.sum()] += 1
    return np.concatenate([2 + more, np.ones(shape.people - shape.returning, np.int64)])


def _cut(
    interactions: Interactions, wanted: NDArray[np.int64], random: np.random.Generator
) -> list[NDArray[np.int64]]:
    """The places of each stretch: the next of a user drawn by how much of it is left."""
    starts, ends = interactions.indptr[:-1].copy(), interactions.indptr[1:]
    stretches = []
    for size in wanted:
        left = ends - starts
        able = np.cumsum(np.where(left >= size, left, 0))
        row = np.searchsorted(able, random.integers(able[-1]), side="right")
        stretches.append(np.arange(starts[row], starts[row] + size))
        starts[row] += size
    return stretches

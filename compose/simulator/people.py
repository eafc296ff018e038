"""What the simulated people like, and what they do with a list of recommendations."""

from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np
import numpy.typing as npt

from compose.simulator.movielens import Rating

TASTE_RANK = 40
"""Dimensions of taste: below the 610 users, so that everybody also likes what neighbours like."""
HALF_LIKED_RANK = 60
"""The movie at this place of a person's own ranking is liked by one half."""
GOOD_STARS = 4.0
HELD_OUT_LIKING = 0.9
HELD_OUT_DISLIKING = 0.1
MEMORY = 300
"""A person may watch a movie again when so many others came after it."""

LOOKS_FURTHER = 0.9
TAKES_WHAT_IS_LIKED = 0.15
WATCHES_ANYWAY = 0.5
WATCHES_WITHOUT_ASKING = 0.15
PICKS_FROM_WISHES = 0.3
MOVIES_CONSIDERED = 20
RATES_WHEN_WATCHED = 0.35
RATES_WHEN_LEFT = 0.1


@dataclass(frozen=True)
class Tastes:
    """Everybody's taste, learnt from all ratings, those never sent included.

    Attributes:
        row: a user's row in `liking`.
        liking: float32 [users, movies], 0 (would leave) to 1 (would love).
        wishes: for each row, the liked movies that the stream has not told of.
        stars: for each row, the stars that its user really gave to those held-out movies.
        popularity: cumulated rating counts of the movies, to draw from.
    """

    row: Mapping[int, int]
    liking: npt.NDArray[np.float32]
    wishes: Sequence[Sequence[int]]
    stars: Sequence[Mapping[int, float]]
    popularity: Sequence[float]


@dataclass
class Person:
    """Somebody with a taste and a memory of what they have watched.

    Their taste is a row of Tastes or, with a second one, a blend of both.
    """

    user_id: int
    taste: int
    seen: dict[int, None] = field(default_factory=dict)
    second: int | None = None
    weight: float = 1.0

    def liking(self, movie: int, tastes: Tastes) -> float:
        """How much they like a movie, 0 (would leave) to 1 (would love)."""
        liked = float(tastes.liking[self.taste, movie])
        if self.second is None:
            return liked
        return self.weight * liked + (1 - self.weight) * float(tastes.liking[self.second, movie])

    def remember(self, movie: int) -> None:
        """Remember having watched a movie, and forget the one longest ago."""
        self.seen.pop(movie, None)
        self.seen[movie] = None
        if len(self.seen) > MEMORY:
            del self.seen[next(iter(self.seen))]


@dataclass(frozen=True)
class StreamScale:
    """The rating scale of a stream."""

    lowest: float
    highest: float
    step: float

    def __call__(self, stars: float) -> float:
        """Bring stars (0.5 to 5) onto this scale, rounded to its step."""
        share = (min(max(stars, 0.5), 5.0) - 0.5) / 4.5
        steps = int(share * (self.highest - self.lowest) / self.step + 0.5)
        return self.lowest + steps * self.step


def learn_tastes(sent: Sequence[Rating], held_out: Sequence[Rating], movies: int) -> Tastes:
    """Learn everybody's taste in so many movies.

    A taste is the user's own stars above 2.5, smoothed over alike users by the first singular
    vectors; what a user really rated well in the held-out part is liked on top of it.
    """
    users = sorted({rating.user_id for rating in [*sent, *held_out]})
    row = {user: place for place, user in enumerate(users)}
    enjoyed = np.zeros((len(users), movies), dtype=np.float32)
    for rating in [*sent, *held_out]:
        enjoyed[row[rating.user_id], rating.movie] = max(rating.stars - 2.5, 0)
    stars: list[dict[int, float]] = [{} for _ in users]
    for rating in held_out:
        stars[row[rating.user_id]][rating.movie] = rating.stars
    counts = np.bincount([rating.movie for rating in [*sent, *held_out]], minlength=movies)
    return Tastes(
        row=row,
        liking=_with_real_opinions(_liking(_smoothed(enjoyed)), stars),
        wishes=[[m for m, given in of_user.items() if given >= GOOD_STARS] for of_user in stars],
        stars=stars,
        popularity=np.cumsum(counts).tolist(),
    )


def population(tastes: Tastes, sent: Iterable[Rating]) -> list[Person]:
    """The users of the rating set, who remember the latest movies they rated."""
    people = {user: Person(user, place) for user, place in tastes.row.items()}
    for rating in sent:
        people[rating.user_id].remember(rating.movie)
    return list(people.values())


def newcomer(user_id: int, tastes: Tastes, random: Random) -> Person:
    """Somebody new, with the taste of a user of the rating set."""
    return Person(user_id, random.randrange(len(tastes.liking)))


def wants_to_ask(random: Random) -> bool:
    """Whether somebody asks for recommendations; the others know what they want to see."""
    return random.random() >= WATCHES_WITHOUT_ASKING


def choose(
    person: Person, recommended: Sequence[int], tastes: Tastes, random: Random
) -> int | None:
    """The movie somebody watches after reading a list from the top; none if they leave.

    An empty list (nobody answered) leaves them to their own ideas as well.
    """
    for movie in recommended:
        liked = person.liking(movie, tastes)
        if movie not in person.seen and random.random() < TAKES_WHAT_IS_LIKED * liked:
            return movie
        if random.random() > LOOKS_FURTHER:
            break
    return own_idea(person, tastes, random) if random.random() < WATCHES_ANYWAY else None


def own_idea(person: Person, tastes: Tastes, random: Random) -> int | None:
    """A movie somebody finds without help: long wished for, or the best of some popular ones."""
    wishes = [movie for movie in tastes.wishes[person.taste] if movie not in person.seen]
    if wishes and random.random() < PICKS_FROM_WISHES:
        return random.choice(wishes)
    total = tastes.popularity[-1]
    heard_of = {
        bisect(tastes.popularity, random.random() * total) for _ in range(MOVIES_CONSIDERED)
    } - person.seen.keys()
    return max(heard_of, key=lambda movie: person.liking(movie, tastes), default=None)


def minutes_watched(
    person: Person, movie: int, runtime: int, tastes: Tastes, random: Random
) -> int:
    """How many minutes of a movie (of `runtime` minutes) somebody watches: more if it is liked."""
    liked = person.liking(movie, tastes)
    return max(1, round(runtime * random.betavariate(0.5 + 5 * liked, 0.5 + 2 * (1 - liked))))


def opinion(
    person: Person, movie: int, share_watched: float, tastes: Tastes, random: Random
) -> float | None:
    """The stars (0.5 to 5) somebody gives, real ones where the rating set has them; mostly none."""
    if random.random() > (RATES_WHEN_WATCHED if share_watched > 0.5 else RATES_WHEN_LEFT):  # noqa: PLR2004 -- half
        return None
    real = tastes.stars[person.taste].get(movie)
    if real is not None:
        return real
    return 2 + 2.5 * person.liking(movie, tastes) + random.gauss(0, 0.6)


def _smoothed(enjoyed: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    _, vectors = np.linalg.eigh(enjoyed @ enjoyed.T)
    tastes = vectors[:, -TASTE_RANK:]
    return np.asarray(tastes @ (tastes.T @ enjoyed), dtype=np.float32)


def _liking(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    by_rank = 1 / (1 + (np.arange(scores.shape[1], dtype=np.float32) / HALF_LIKED_RANK) ** 1.5)
    for user in scores:  # a row at a time: sorting all at once would take three times the memory
        user[np.argsort(-user)] = by_rank
    return scores


def _with_real_opinions(
    liking: npt.NDArray[np.float32], stars: Sequence[Mapping[int, float]]
) -> npt.NDArray[np.float32]:
    for place, of_user in enumerate(stars):
        for movie, given in of_user.items():
            if given >= GOOD_STARS:
                liking[place, movie] = max(liking[place, movie], HELD_OUT_LIKING)
            elif given < 3:  # noqa: PLR2004 -- below the middle star
                liking[place, movie] = min(liking[place, movie], HELD_OUT_DISLIKING)
    return liking

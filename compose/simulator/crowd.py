"""More people than the rating set has: each has a taste between those of two of its users.

Everything of a person follows from the seed and their number, so the ratings that are sent as
their past (`compose.simulator history`) and the people who live on (`run`) belong together.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random

from compose.simulator.movielens import Rating
from compose.simulator.people import Person, Tastes

FEWEST_RATINGS, MOST_RATINGS = 10, 30


def crowd_ratings(sent: Sequence[Rating], people: int, seed: int) -> list[Rating]:
    """What the people beyond those of the set have rated, by time, then user, then movie.

    Each of the two users whose tastes a person has gives them some of their own ratings.

    Args:
        sent: the set's own ratings that are sent.
        people: how many people there are to be in all; of the set's users none is left out.
        seed: of all people; the same seed gives the same ones.
    """
    by_user = _by_user(sent)
    users = sorted(by_user)
    ratings = [
        rating
        for user_id in _beyond(users, people)
        for rating in _ratings_of(user_id, users, by_user, seed)
    ]
    return sorted(ratings, key=lambda rating: (rating.timestamp, rating.user_id, rating.movie))


def crowd(tastes: Tastes, ratings: Iterable[Rating], seed: int) -> list[Person]:
    """The people whom these `crowd_ratings` are of; they know the movies that they rated."""
    users = sorted(tastes.row)
    people: dict[int, Person] = {}
    for rating in ratings:
        if rating.user_id not in people:
            first, second, weight = _blend(rating.user_id, users, seed)
            people[rating.user_id] = Person(
                rating.user_id, tastes.row[first], second=tastes.row[second], weight=weight
            )
        people[rating.user_id].remember(rating.movie)
    return list(people.values())


def _beyond(users: Sequence[int], people: int) -> Iterable[int]:
    return range(users[-1] + 1, users[-1] + 1 + people - len(users))


def _by_user(ratings: Iterable[Rating]) -> dict[int, list[Rating]]:
    by_user: dict[int, list[Rating]] = {}
    for rating in ratings:
        by_user.setdefault(rating.user_id, []).append(rating)
    return by_user


def _random(user_id: int, seed: int) -> Random:
    return Random(f"{seed} crowd {user_id}")  # noqa: S311 -- seeded; nothing here is secret


def _blend(user_id: int, users: Sequence[int], seed: int) -> tuple[int, int, float]:
    """The users whose tastes a person has, and the weight of the first, a half or more."""
    random = _random(user_id, seed)
    return random.choice(users), random.choice(users), random.uniform(0.5, 1)


def _ratings_of(
    user_id: int, users: Sequence[int], by_user: Mapping[int, Sequence[Rating]], seed: int
) -> Iterator[Rating]:
    first, second, weight = _blend(user_id, users, seed)
    random = _random(user_id, seed + 1)
    known: set[int] = set()
    for _ in range(random.randint(FEWEST_RATINGS, MOST_RATINGS)):
        rating = random.choice(by_user[first if random.random() < weight else second])
        if rating.movie not in known:
            known.add(rating.movie)
            yield rating._replace(user_id=user_id)

"""The simulator's people, many at a time: what they do with the lists that they are given.

They read, choose and remember as compose/simulator/people.py lets them, one visit after the
other, in arrays instead of tasks (tests/unit/benchmarks holds the two against each other).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from compose.simulator.movielens import Rating, read_movies, read_ratings, split_by_user
from compose.simulator.people import (
    LOOKS_FURTHER,
    MOVIES_CONSIDERED,
    PICKS_FROM_WISHES,
    TAKES_WHAT_IS_LIKED,
    WATCHES_ANYWAY,
    WATCHES_WITHOUT_ASKING,
    Tastes,
    learn_tastes,
    population,
)
from compose.simulator.world import LINES_A_VISIT

Movies = NDArray[np.int64]
Tasters = NDArray[np.int64]

PEOPLE_IN_TOWN = 20_000
LINES_A_SECOND = 50
VISITS_A_DAY = LINES_A_SECOND * 86_400 / LINES_A_VISIT / PEOPLE_IN_TOWN
"""Of one person on average: 3.5, as in a stack with its own settings and so many people."""
SPREAD_OF_VISITS = 1.0
"""Standard deviation of the logarithm of people's rates: a tenth of them come half of the time."""
MOST_VISITS = 60
REMEMBERED = 6
"""How many movies somebody remembers besides those that they knew before."""
VISITS_TRIED = 400
NOTHING = -1


@dataclass(frozen=True)
class Town:
    """What the people of the town like and know.

    Attributes:
        sent: the ratings that a recommender has seen.
        movies: how many there are.
        knows: bool [tastes, movies], what a person of each taste knows already.
        wishes: int64 [tastes, most wishes], movies that they wish for, and how many are real.
    """

    sent: Sequence[Rating]
    movies: int
    tastes: Tastes
    knows: NDArray[np.bool_]
    wishes: Movies
    wish_counts: NDArray[np.int64]


@dataclass(frozen=True)
class Shown:
    """What some people are shown at one visit: int64 [people, length], best first."""

    movies: Movies
    origins: NDArray[np.int8]
    """int8 [people, length]: whose each movie is, in the caller's own numbers."""


type Answer = Callable[[Tasters, np.random.Generator], Shown]
"""What people of these tastes are answered with."""


def town() -> Town:
    """The town that the simulator starts with."""
    folder = files("compose.simulator") / "movielens"
    movies = read_movies(folder)
    sent, held_out = split_by_user(read_ratings(folder, movies))
    tastes = learn_tastes(sent, held_out, len(movies))
    knows = np.zeros(tastes.liking.shape, np.bool_)
    for person in population(tastes, sent):
        knows[person.taste, list(person.seen)] = True
    unmet = [[m for m in of if not knows[row, m]] for row, of in enumerate(tastes.wishes)]
    counts = np.array([len(of) for of in unmet])
    wishes = np.full((len(unmet), counts.max()), NOTHING)
    for row, of in enumerate(unmet):
        wishes[row, : len(of)] = of
    return Town(sent, len(movies), tastes, knows, wishes, counts)


def visits(people: int, random: np.random.Generator) -> NDArray[np.int64]:
    """int64 [people]: visits of each within a day from their first; few come very often."""
    rates = VISITS_A_DAY * random.lognormal(-(SPREAD_OF_VISITS**2) / 2, SPREAD_OF_VISITS, people)
    return 1 + np.minimum(random.poisson(rates), MOST_VISITS - 1)


def credited(
    town: Town, tasters: Tasters, counts: NDArray[np.int64], answer: Answer, seed: int
) -> NDArray[np.int64]:
    """How many recommended movies each person watches, by whose they are.

    Args:
        town: who lives there.
        tasters: int64 [people], the taste of each.
        counts: int64 [people], how often each comes.
        answer: what they are answered with at each visit.
        seed: of all chance; the same chance meets other lists.

    Returns:
        int64 [people, 3]: movies watched of origin 0, 1 and 2.
    """
    found = np.zeros((len(tasters), 3), np.int64)
    remembered = np.full((len(tasters), REMEMBERED), NOTHING)
    for visit in range(int(counts.max())):
        out = np.flatnonzero(counts > visit)
        random = np.random.default_rng((seed, visit))
        shown = answer(tasters[out], np.random.default_rng((seed, visit, 1)))
        watched, asked = _visit(town, tasters[out], remembered[out], shown.movies, random)
        is_watched = (shown.movies == watched[:, None]) & asked[:, None]
        taken = np.flatnonzero(is_watched.any(axis=1))
        np.add.at(found, (out[taken], shown.origins[taken, is_watched[taken].argmax(axis=1)]), 1)
        remembered[out, visit % REMEMBERED] = watched
    return found


def _visit(
    town: Town,
    tasters: Tasters,
    remembered: Movies,
    movies: Movies,
    random: np.random.Generator,
) -> tuple[Movies, NDArray[np.bool_]]:
    """The movie that each person watches (or NOTHING), and who asked for recommendations."""
    taken, asked = _taken(town, tasters, remembered, movies, random)
    ideas = _own_ideas(town, tasters, random)
    has_own_idea = random.random(len(tasters)) < WATCHES_ANYWAY
    return np.where(taken != NOTHING, taken, np.where(has_own_idea, ideas, NOTHING)), asked


def _taken(
    town: Town,
    tasters: Tasters,
    remembered: Movies,
    movies: Movies,
    random: np.random.Generator,
) -> tuple[Movies, NDArray[np.bool_]]:
    rows = tasters[:, None]
    known = town.knows[rows, movies] | (movies[:, :, None] == remembered[:, None, :]).any(axis=2)
    likes = random.random(movies.shape) < TAKES_WHAT_IS_LIKED * town.tastes.liking[rows, movies]
    place = _first(likes & ~known)
    gives_up_after = _first(random.random(movies.shape) > LOOKS_FURTHER)
    asked = random.random(len(tasters)) >= WATCHES_WITHOUT_ASKING
    takes = asked & (place < movies.shape[1]) & (place <= gives_up_after)
    at = np.minimum(place, movies.shape[1] - 1)
    return np.where(takes, movies[np.arange(len(movies)), at], NOTHING), asked


def _first(these: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Where in each row the first True is; the row's length where there is none."""
    return np.where(these.any(axis=1), these.argmax(axis=1), these.shape[1])


def _own_ideas(town: Town, tasters: Tasters, random: np.random.Generator) -> Movies:
    people = np.arange(len(tasters))
    total = town.tastes.popularity[-1]
    heard_of = np.searchsorted(
        town.tastes.popularity,
        random.random((len(tasters), MOVIES_CONSIDERED)) * total,
        side="right",
    )
    rows = tasters[:, None]
    worth = town.tastes.liking[rows, heard_of] - 2 * town.knows[rows, heard_of]
    best = heard_of[people, worth.argmax(axis=1)]
    wished = (random.random(len(tasters)) * town.wish_counts[tasters]).astype(np.int64)
    wishes = (random.random(len(tasters)) < PICKS_FROM_WISHES) & (town.wish_counts[tasters] > 0)
    return np.where(wishes, town.wishes[tasters, wished], best)


def alone(lists: Movies) -> Answer:
    """Answers of one version: int64 [tastes, length], best first."""

    def answer(tasters: Tasters, _random: np.random.Generator) -> Shown:
        return Shown(lists[tasters], np.zeros((len(tasters), lists.shape[1]), np.int8))

    return answer


def taking_chances(town: Town, lists: Movies) -> NDArray[np.float64]:
    """float64 [tastes]: how likely a visit ends with a movie of these lists."""
    tasters = np.repeat(np.arange(len(town.knows)), VISITS_TRIED)
    once = np.ones(len(tasters), np.int64)
    taken = credited(town, tasters, once, alone(lists), seed=4).sum(axis=1)
    return taken.reshape(-1, VISITS_TRIED).mean(axis=1)

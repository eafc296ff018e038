"""The people's life: they ask, watch and rate, each in a task of its own, in wall-clock time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Never

from compose.simulator.metrics import ANSWER_SECONDS, REQUESTS
from compose.simulator.movielens import Movie
from compose.simulator.people import (
    Person,
    StreamScale,
    Tastes,
    choose,
    minutes_watched,
    opinion,
    wants_to_ask,
)
from compose.simulator.recommender_client import Answer
from compose.simulator.town import Town
from ingest.lines.grammar import AccountCreated, Event, Rated, Requested, Watched

LINES_A_VISIT = 62
"""How many lines a visit leaves in the stream on average."""
ODD_CALLS = 0.01
_NO_IDS = ("abc", "-1", "1.5", "0", "9" * 40, "\0", "1e3", "user 7")


@dataclass(frozen=True)
class World:
    """What people live in: what there is to like, whom to ask, where lines go, and time.

    Attributes:
        place: a slug's place in `movies`.
        runtimes: minutes of each movie.
        server: host and port that is asked.
        time_lapse: how many minutes of a movie go by in a minute.
        ask: asks the recommender for a user id's list.
        write: takes an event that the stream shall carry.
        sleep: waits so many seconds.
        now: the time, UTC.
    """

    tastes: Tastes
    movies: Sequence[Movie]
    place: Mapping[str, int]
    runtimes: Sequence[int]
    scale: StreamScale
    server: str
    time_lapse: float
    ask: Callable[[str], Awaitable[Answer]]
    write: Callable[[Event], None]
    sleep: Callable[[float], Awaitable[None]]
    now: Callable[[], datetime]


async def live(world: World, town: Town, rate: float, random: Random) -> Never:
    """Let somebody go out again and again, so that about `rate` lines a second are written."""
    async with asyncio.TaskGroup() as tasks:
        while True:
            await world.sleep(random.expovariate(rate / LINES_A_VISIT))
            own = Random(random.getrandbits(64))  # noqa: S311 -- seeded; nothing here is secret
            tasks.create_task(go_out(world, town, own))
            if random.random() < ODD_CALLS:
                tasks.create_task(call_oddly(world, random))


async def go_out(world: World, town: Town, random: Random) -> None:
    """Call somebody who is home, let them create their account if they are new, and visit."""
    called = town.call(world.tastes, random)
    if called is None:
        return
    person, new = called
    if new:
        world.write(AccountCreated(world.now(), person.user_id))
    await visit(world, person, random)
    town.welcome_home(person)


async def visit(world: World, person: Person, random: Random) -> None:
    """Somebody asks for movies, watches one minute by minute, and perhaps says how it was."""
    recommended = await _recommended(world, person.user_id) if wants_to_ask(random) else ()
    movie = choose(person, recommended, world.tastes, random)
    if movie is None:
        return
    runtime = world.runtimes[movie]
    minutes = minutes_watched(person, movie, runtime, world.tastes, random)
    await _watch(world, person, movie, minutes)
    stars = opinion(person, movie, minutes / runtime, world.tastes, random)
    if stars is not None:
        slug, rating = world.movies[movie].slug, world.scale(stars)
        world.write(Rated(world.now(), person.user_id, slug, rating))


async def call_oddly(world: World, random: Random) -> None:
    """Ask for a user who does not exist, or with what is no id at all; nobody logs the latter."""
    if random.random() < 0.5:  # noqa: PLR2004 -- half
        await _logged_answer(world, random.randrange(10**6, 10**7), "odd")
    else:
        await _answer(world, random.choice(_NO_IDS), "odd")


async def _watch(world: World, person: Person, movie: int, minutes: int) -> None:
    for minute in range(1, minutes + 1):
        world.write(Watched(world.now(), person.user_id, world.movies[movie].slug, minute))
        await world.sleep(60 / world.time_lapse)
    person.remember(movie)


async def _recommended(world: World, user_id: int) -> list[int]:
    answer = await _logged_answer(world, user_id, "answered")
    return [world.place[slug] for slug in answer.movie_ids if slug in world.place]


async def _logged_answer(world: World, user_id: int, outcome: str) -> Answer:
    answer = await _answer(world, str(user_id), outcome)
    world.write(
        Requested(
            world.now(),
            user_id,
            world.server,
            answer.status,
            answer.movie_ids,
            answer.error,
            answer.milliseconds,
        )
    )
    return answer


async def _answer(world: World, user_id: str, outcome: str) -> Answer:
    answer = await world.ask(user_id)
    failed = outcome == "answered" and answer.error is not None
    REQUESTS.labels("failed" if failed else outcome).inc()
    ANSWER_SECONDS.observe(answer.milliseconds / 1000)
    return answer

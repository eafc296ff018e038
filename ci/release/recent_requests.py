"""Replaying recent requests against both slots, at a bounded rate, before any share is shifted."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

import httpx
import psycopg

from ci.release.replay import Exchange, Reply

REPLAYED = {"X-Marquee-Replayed": "1"}
"""Nginx passes no header of a caller's on, so this comes from inside the stack only."""
RECENT = ("1 hour", "1 day")
SETTLED = "1 minute"
"""What was done later may not have come to the slots yet."""
WATCHED_MINUTES = 10
"""From so many on a training takes a movie for seen; what was left sooner may be shown again."""


def recent_users(connection: psycopg.Connection, most: int) -> list[int]:
    """Who was answered last, in the order of the answers; once for each answer."""
    for recent in RECENT:
        rows = connection.execute(
            "SELECT user_id FROM receipt WHERE time > now() - %s::interval"
            " ORDER BY time DESC LIMIT %s",
            (recent, most),
        ).fetchall()
        if len(rows) == most:
            break
    return [user_id for (user_id,) in reversed(rows)]


def seen_movies(
    connection: psycopg.Connection, users: Sequence[int]
) -> Mapping[int, frozenset[str]]:
    """What each of these users has rated or watched, as far as slots must know of it."""
    seen: defaultdict[int, set[str]] = defaultdict(set)
    rows = connection.execute(
        "SELECT user_id, movie_id FROM rating"
        " WHERE user_id = ANY(%(users)s) AND time < now() - %(settled)s::interval"
        " UNION ALL SELECT user_id, movie_id FROM viewing"
        " WHERE user_id = ANY(%(users)s) AND last_watched < now() - %(settled)s::interval"
        " GROUP BY user_id, movie_id HAVING sum(minutes) >= %(minutes)s",
        {"users": list(set(users)), "settled": SETTLED, "minutes": WATCHED_MINUTES},
    )
    for user_id, movie_id in rows:
        seen[user_id].add(movie_id)
    return {user_id: frozenset(movies) for user_id, movies in seen.items()}


def replay(
    client: httpx.Client,
    slots: tuple[str, str],
    users: Sequence[int],
    rate: float,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[tuple[int, Reply, Reply]]:
    """Ask the new and the live slot for each user's list: user, new reply, live reply.

    Args:
        client: reaches the slots.
        slots: where the slot without traffic and the live one are reached.
        users: whose lists.
        rate: at most so many users a second, both slots asked for each.
        sleep: waits so many seconds.
    """
    began = time.monotonic()
    for number, user_id in enumerate(users):
        sleep(max(0.0, began + number / rate - time.monotonic()))
        new, live = (_ask(client, slot, user_id) for slot in slots)
        yield user_id, new, live


def exchange(replies: tuple[int, Reply, Reply], seen: Mapping[int, frozenset[str]]) -> Exchange:
    """A user's replies with what they had seen."""
    user_id, new, live = replies
    return Exchange(user_id, new, live, seen.get(user_id, frozenset()))


def _ask(client: httpx.Client, slot: str, user_id: int) -> Reply:
    began = time.perf_counter()
    try:
        answer = client.get(f"{slot}/recommend/{user_id}", headers=REPLAYED).raise_for_status()
    except httpx.HTTPError:
        return Reply(None, time.perf_counter() - began)
    movies = tuple(movie for movie in answer.text.strip().split(",") if movie)
    return Reply(movies, time.perf_counter() - began)

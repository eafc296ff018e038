"""Asks the recommender as a caller of the real service would: 600 ms, one try, then move on."""

import asyncio
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import quote

import httpx

PATIENCE = 0.6
"""Seconds after which a caller gives up."""

_KEPT_ALIVE = httpx.Limits(max_connections=16, keepalive_expiry=30)


@dataclass(frozen=True)
class Answer:
    """What came back: movie ids and status 200, or status 0 and the caller's exception."""

    status: int
    movie_ids: tuple[str, ...]
    error: str | None
    milliseconds: int


def caller(url: str) -> httpx.AsyncClient:
    """A client that keeps its connections open and never asks twice."""
    return httpx.AsyncClient(base_url=url, limits=_KEPT_ALIVE, timeout=PATIENCE)


async def ask(client: httpx.AsyncClient, user_id: str) -> Answer:
    """Ask for recommendations; every failure is an answer too, in the words of a real log."""
    started = perf_counter()
    try:
        async with asyncio.timeout(PATIENCE):
            response = await client.get(f"/recommend/{quote(user_id, safe='')}")
    except (TimeoutError, httpx.TimeoutException):
        error = (
            "java.util.concurrent.TimeoutException: "
            f"Request timeout to {client.base_url.netloc.decode()} after {PATIENCE * 1000:.0f} ms"
        )
    except httpx.ConnectError:
        error = "java.net.ConnectException: Connection refused"
    except httpx.TransportError as reason:
        error = f"java.io.IOException: {reason}"
    else:
        if response.status_code == httpx.codes.OK:
            return Answer(200, _movie_ids(response.text), None, _milliseconds_since(started))
        error = f"dispatch.StatusCode: Unexpected response status: {response.status_code}"
    return Answer(0, (), error, _milliseconds_since(started))


def _movie_ids(body: str) -> tuple[str, ...]:
    return tuple(movie_id for one in body.split(",") if (movie_id := one.strip()))


def _milliseconds_since(started: float) -> int:
    return round((perf_counter() - started) * 1000)

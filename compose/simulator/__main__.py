"""The simulator's commands: load the history once; let people live on."""

import asyncio
import re
import signal
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

import structlog
import typer
from prometheus_client import start_http_server

from compose.service.log import configure_logging
from compose.service.watchdog import watched
from compose.simulator.catalogue import describe_movie, describe_user, runtime
from compose.simulator.crowd import crowd, crowd_ratings
from compose.simulator.errors import SimulatorError
from compose.simulator.history import history_lines, send_history
from compose.simulator.lines import Mishaps, written
from compose.simulator.metadata import Lookup, metadata_server
from compose.simulator.movielens import Movie, Rating, read_movies, read_ratings, split_by_user
from compose.simulator.people import StreamScale, learn_tastes, population
from compose.simulator.recommender_client import ask, caller
from compose.simulator.settings import Settings
from compose.simulator.stream import MOST_WAITING, Outbox, post, publish
from compose.simulator.town import Town
from compose.simulator.world import World, live
from ingest.lines.grammar import Event

NEWCOMERS_COUNT_FROM = datetime(2020, 1, 1, tzinfo=UTC)
"""A newcomer's id is about the second since then, so that a restart gives out no id again."""
HEARTBEAT_SECONDS = 5
USER_ID = re.compile(r"[1-9]\d{0,17}", re.ASCII)

log = structlog.get_logger()
app = typer.Typer(
    help="The outside world: people with MovieLens's tastes, and the log that they leave.",
    no_args_is_help=True,
)


@app.command()
def history() -> None:
    """Send the history: 90 days of ratings, 80 % of each user's; a second run sends nothing.

    People beyond the set's 610 (PEOPLE) come after it, with ratings of those they take after.
    Reads KAFKA_SERVERS, KAFKA_TOPIC, PEOPLE, SEED and RATING_MIN, _MAX, _STEP. Exit status 0:
    the topic holds all of it. 1: it does not, and why; run it again to send what is missing.
    """
    settings = Settings()
    movies, sent, _ = _movielens()
    scale, now = _scale(settings), datetime.now(UTC)
    more = crowd_ratings(sent, settings.people, settings.seed)
    lines = history_lines(movies, sent, scale, now)
    lines += history_lines(movies, more, scale, now) if more else []
    try:
        new = send_history(lines, settings.kafka_servers, settings.kafka_topic, _show_progress)
    except SimulatorError as error:
        typer.echo(f"history: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"history: {new:,} of {len(lines):,} lines sent, {len(lines) - new:,} were there")


@app.command()
def run() -> None:
    """Let people ask, watch and rate until told to stop (SIGTERM); serve the metadata API.

    Reads KAFKA_SERVERS, KAFKA_TOPIC, RECOMMENDER_URL, RATE (log lines a second), TIME_LAPSE
    (minutes of a movie in a minute), SEED, PEOPLE, RATING_MIN, _MAX, _STEP, DAMAGED_SHARE,
    DOUBLED_SHARE, METADATA_PORT, METRICS_PORT and HEARTBEAT_FILE.
    """
    settings = Settings()
    configure_logging("simulator")
    start_http_server(settings.metrics_port)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    movies, sent, held_out = _movielens()
    tastes = learn_tastes(sent, held_out, len(movies))
    now = datetime.now(UTC)
    more = crowd(tastes, crowd_ratings(sent, settings.people, settings.seed), settings.seed)
    town = Town(
        [*population(tastes, sent), *more], int((now - NEWCOMERS_COUNT_FROM).total_seconds())
    )
    random = Random(f"{settings.seed} {now}")  # noqa: S311 -- seeded; nothing here is secret
    outbox: Outbox = asyncio.Queue(MOST_WAITING)
    _serve_metadata(settings, movies, sent, town)
    async with caller(_base_url(settings)) as client:
        world = World(
            tastes=tastes,
            movies=movies,
            place={movie.slug: place for place, movie in enumerate(movies)},
            runtimes=[runtime(movie, settings.seed) for movie in movies],
            scale=_scale(settings),
            server=client.base_url.netloc.decode(),
            time_lapse=settings.time_lapse,
            ask=partial(ask, client),
            write=partial(_write, outbox, settings, random),
            sleep=asyncio.sleep,
            now=partial(datetime.now, UTC),
        )
        log.info("people are about", rate=settings.rate, time_lapse=settings.time_lapse)
        await _until_told_to_stop(
            live(world, town, settings.rate, random),
            publish(outbox, settings.kafka_servers, settings.kafka_topic, random),
            _keep_heartbeat(settings.heartbeat_file),
        )


def _movielens() -> tuple[list[Movie], list[Rating], list[Rating]]:
    folder = files("compose.simulator") / "movielens"
    movies = read_movies(folder)
    sent, held_out = split_by_user(read_ratings(folder, movies))
    return movies, sent, held_out


def _scale(settings: Settings) -> StreamScale:
    return StreamScale(settings.rating_min, settings.rating_max, settings.rating_step)


def _base_url(settings: Settings) -> str:
    return str(settings.recommender_url).rstrip("/")


def _write(outbox: Outbox, settings: Settings, random: Random, event: Event) -> None:
    mishaps = Mishaps(settings.damaged_share, settings.doubled_share)
    for line in written(event, mishaps, random):
        post(outbox, line)


def _serve_metadata(
    settings: Settings, movies: Sequence[Movie], sent: Sequence[Rating], town: Town
) -> None:
    lookups = {
        "movie": _movie_lookup(movies, sent, settings.seed),
        "user": _user_lookup(town, settings.seed),
    }
    server = metadata_server(settings.metadata_port, lookups)
    Thread(target=server.serve_forever, name="metadata", daemon=True).start()


def _movie_lookup(movies: Sequence[Movie], sent: Sequence[Rating], seed: int) -> Lookup:
    by_slug = {movie.slug: (movie, list[float]()) for movie in movies}
    for rating in sent:
        by_slug[movies[rating.movie].slug][1].append(rating.stars)
    return lambda slug: describe_movie(*by_slug[slug], seed) if slug in by_slug else None


def _user_lookup(town: Town, seed: int) -> Lookup:
    def look_up(user_id: str) -> dict[str, Any] | None:
        known = USER_ID.fullmatch(user_id) and int(user_id) in town
        return describe_user(int(user_id), seed) if known else None

    return look_up


async def _keep_heartbeat(file: Path) -> None:
    with watched() as turned:
        while True:
            turned()
            file.touch()  # noqa: ASYNC240 -- on a tmpfs; to wait for a thread would take longer
            await asyncio.sleep(HEARTBEAT_SECONDS)


async def _until_told_to_stop(*work: Coroutine[Any, Any, None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, stop.set)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in work]
        await stop.wait()
        for task in tasks:
            task.cancel()


def _show_progress(arrived: int, total: int) -> None:
    typer.echo(f"history: {arrived:,} of {total:,} lines")


if __name__ == "__main__":
    app()

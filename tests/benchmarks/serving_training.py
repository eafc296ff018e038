"""A training that goes on beside the slots, with the weight that the stack gives the trainer."""

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from compose.secrets.files import passfile
from compose.simulator.movielens import read_movies, read_ratings
from trainer.settings import Settings
from trainer.training import train

NICENESS = 6
"""The scheduler gives it 272 of a server's 1,024, as compose does with cpu_shares: 256."""


def load_movielens(conninfo: str) -> None:
    """All ratings of MovieLens small, in their order, since midnight."""
    folder = files("compose.simulator") / "movielens"
    movies = read_movies(folder)
    ratings = read_ratings(folder, movies)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    copy = "COPY rating (time, user_id, movie_id, rating, log_partition, log_offset) FROM STDIN"
    with psycopg.connect(conninfo) as connection:
        with connection.cursor().copy(copy) as rows:
            for offset, (user, movie, stars, _when) in enumerate(ratings):
                time = midnight + timedelta(milliseconds=offset / 10)
                rows.write_row((time, user, movies[movie].slug, stars, 0, offset))
        connection.execute(
            "INSERT INTO stream_offset (topic, log_partition, first_offset, next_offset)"
            " VALUES ('no slot follows this', 0, 0, %s)",
            (len(ratings),),
        )


@contextmanager
def training_beside(folder: Path, conninfo: str) -> Iterator[None]:
    """Train over and over in a process of its own until the block ends."""
    spawned = multiprocessing.get_context("spawn")
    process = spawned.Process(target=_train_over_and_over, args=(folder, conninfo))
    process.start()
    try:
        yield
        assert process.is_alive(), "the training ended by itself"
    finally:
        process.kill()
        process.join()


def _train_over_and_over(folder: Path, conninfo: str) -> None:
    os.nice(NICENESS)
    address: dict[str, Any] = conninfo_to_dict(conninfo)
    pgpass = folder / "trainer.pgpass"
    pgpass.write_text(passfile(address["password"]))
    pgpass.chmod(0o600)
    settings = Settings(
        database_host=address["host"],
        database_port=address["port"],
        database_name=address["dbname"],
        database_user=address["user"],
        database_passfile=pgpass,
        models_directory=folder / "trained",
        rating_min=0.5,
    )
    with psycopg.connect(conninfo, autocommit=True) as connection:
        while True:
            train(connection, settings, lambda: datetime.now(UTC), lambda _line, _share: None)

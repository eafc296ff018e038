"""What the tables held at one instant, as a matrix."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import IsolationLevel

from trainer.errors import NoDataError
from trainer.interactions import Catalogue, Interactions

QUERY = files("trainer").joinpath("snapshot.sql").read_bytes()
OFFSETS = """
SELECT log_partition, least(consumed.next_offset, coalesce(rolled.next_offset, first_offset))
FROM stream_offset AS consumed LEFT JOIN viewing_progress AS rolled USING (log_partition)
ORDER BY updated_at
"""
DESCRIBED = r"""
SELECT
    movie_id,
    coalesce(extract(year FROM release_date), substring(movie_id, '\+(\d{4})$')::int)::int,
    coalesce(genres, '{}')
FROM movie
"""
"""Where the catalogue does not know a movie's year, most of the stream's ids end with it."""
ROWS_AT_ONCE = 50_000


@dataclass(frozen=True)
class Snapshot:
    """Everything a training learns from, and where in the stream it ends."""

    interactions: Interactions
    offsets: Mapping[int, int]
    """For each Kafka partition, up to where everything that landed is in the snapshot.

    Watched minutes are in it once they are rolled up into viewings, which lags behind.
    """

    def summary(self) -> dict[str, Any]:
        """For the manifest: what it is in numbers."""
        interactions = self.interactions
        return {
            "hash": interactions.hash(),
            "interactions": len(interactions),
            "users": len(interactions.users),
            "movies": len(interactions.movies),
            "first_time": _iso(int(interactions.times.min())),
            "last_time": _iso(int(interactions.times.max())),
            "offsets": {str(partition): offset for partition, offset in self.offsets.items()},
        }


def _iso(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, UTC).isoformat()


def take_snapshot(connection: psycopg.Connection, watched_minutes: int) -> Snapshot:
    """Read ratings, viewings and offsets in one transaction that sees one instant.

    Args:
        connection: not in a transaction.
        watched_minutes: from how many minutes on an unrated viewing counts.

    Raises:
        NoDataError: there is neither a rating nor a viewing.
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    try:
        with connection.transaction():
            return _read(connection, watched_minutes)
    finally:
        connection.isolation_level = None
        connection.read_only = None


def _read(connection: psycopg.Connection, watched_minutes: int) -> Snapshot:
    offsets = connection.execute(OFFSETS).fetchall()
    codes: dict[str, int] = {}
    chunks = list(_chunks(connection, watched_minutes, codes))
    if not chunks:
        raise NoDataError("nothing to train on: there is no rating and no viewing yet")
    users, movies, ratings, times = (np.concatenate(column) for column in zip(*chunks, strict=True))
    interactions = Interactions.assemble(users, list(codes), movies, ratings, times)
    described = Catalogue.assemble(interactions.movies, _described(connection))
    return Snapshot(replace(interactions, described=described), dict(offsets))


def _described(connection: psycopg.Connection) -> dict[str, tuple[int | None, list[str]]]:
    return {movie: (year, genres) for movie, year, genres in connection.execute(DESCRIBED)}


def _chunks(
    connection: psycopg.Connection, watched_minutes: int, codes: dict[str, int]
) -> Iterator[tuple[NDArray[Any], ...]]:
    with connection.cursor("snapshot") as cursor:
        cursor.execute(QUERY, {"watched_minutes": watched_minutes}, binary=True)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            users, movies, ratings, times = zip(*rows, strict=True)
            yield (
                np.array(users, np.int64),
                np.array([codes.setdefault(movie, len(codes)) for movie in movies], np.int32),
                np.array(ratings, np.float32),
                np.array(times, np.int64),
            )

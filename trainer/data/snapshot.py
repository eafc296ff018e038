"""What the tables held at one instant, as a matrix."""

from collections.abc import Buffer, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from itertools import islice
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import IsolationLevel

from compose.service.copy_format import BEGIN, EPOCH
from trainer.data.interactions import Catalogue, Interactions
from trainer.data.people import DemographicGroups
from trainer.errors import NoDataError

QUERY = files("trainer.data").joinpath("snapshot.sql").read_bytes()
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
KINDS = """
SELECT gender, age / 10, occupation, array_agg(user_id)
FROM app_user
WHERE gender IS NOT NULL OR age IS NOT NULL OR occupation IS NOT NULL
GROUP BY 1, 2, 3
"""
MOVIES = "SELECT movie_id FROM rating UNION SELECT movie_id FROM viewing"
WORK_MEMORY = "SET LOCAL work_mem = '64MB'"
"""With less, sorting some ten million rows takes several passes over the disk."""
ROWS_AT_ONCE = 100_000
WIRE = np.dtype(
    {
        "names": ["user", "movie", "rating", "time"],
        "formats": [">i8", ">i4", ">f4", ">i8"],
        "offsets": [6, 18, 26, 34],
        "itemsize": 42,
    }
)
"""A row in COPY's binary format: the number of columns, then each one's length and value."""
ROW = np.dtype([("user", "i8"), ("movie", "i4"), ("rating", "f4"), ("time", "i8")])


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
    movies = [movie for (movie,) in connection.execute(MOVIES)]
    connection.execute(WORK_MEMORY)
    told = {"movies": movies, "watched_minutes": watched_minutes}
    with connection.cursor().copy(b"COPY (" + QUERY + b") TO STDOUT (FORMAT BINARY)", told) as copy:
        rows = _rows(copy)
    if not len(rows):
        raise NoDataError("nothing to train on: there is no rating and no viewing yet")
    interactions = _assembled(rows, movies)
    described = Catalogue.assemble(interactions.movies, _described(connection))
    kinds = _kinds(connection, interactions.users)
    return Snapshot(replace(interactions, described=described, kinds=kinds), dict(offsets))


def _described(connection: psycopg.Connection) -> dict[str, tuple[int | None, list[str]]]:
    return {movie: (year, genres) for movie, year, genres in connection.execute(DESCRIBED)}


def _kinds(connection: psycopg.Connection, users: NDArray[np.int64]) -> DemographicGroups:
    rows = connection.execute(KINDS, binary=True)
    return DemographicGroups.assemble(
        users, [(tuple(kind), np.array(ids, np.int64)) for *kind, ids in rows]
    )


def _rows(copy: Iterable[Buffer]) -> NDArray[np.void]:
    rows = np.empty(0, ROW)
    for piece in _pieces(copy):
        start = len(rows)
        rows.resize(start + len(piece), refcheck=False)  # grows in place: nothing is held twice
        rows[start:] = piece
    return rows


def _pieces(copy: Iterable[Buffer]) -> Iterator[NDArray[np.void]]:
    stream = iter(copy)
    skipped = len(BEGIN)
    while block := b"".join(islice(stream, ROWS_AT_ONCE)):
        whole_rows = (len(block) - skipped) // WIRE.itemsize  # what is over is COPY's trailer
        yield np.frombuffer(block, WIRE, whole_rows, skipped)
        skipped = 0


def _assembled(rows: NDArray[np.void], movies: Sequence[str]) -> Interactions:
    places = rows["movie"] - 1
    met = np.bincount(places, minlength=len(movies)) > 0
    return Interactions.assemble(
        rows["user"],
        [movie for movie, is_met in zip(movies, met.tolist(), strict=True) if is_met],
        (np.cumsum(met, dtype=np.int32) - 1)[places],
        rows["rating"],
        rows["time"] + EPOCH,
    )

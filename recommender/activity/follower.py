"""Follows what has landed, and keeps recent activity and what is trending up to it.

Rows are followed by partition and offset, never by time or id: those become visible out
of order, while a partition's rows up to `stream_offset` are all there once it says so.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import psycopg
from prometheus_client import Histogram

from recommender.activity.recent import RecentActivity, moment
from recommender.activity.trending import Trending
from recommender.connection import KeptConnection

OFFSETS_A_READ = 100_000
"""So many offsets are read at once: a slot that starts far behind stays small."""

ROWS = """
SELECT user_id, movie_id, 'NaN'::real, min(time), min(log_offset) FROM watch
WHERE log_partition = %(partition)s AND log_offset >= %(start)s AND log_offset < %(end)s
GROUP BY user_id, movie_id
UNION ALL
SELECT user_id, movie_id, rating, time, log_offset FROM rating
WHERE log_partition = %(partition)s AND log_offset >= %(start)s AND log_offset < %(end)s
"""


class Span(NamedTuple):
    """Offsets of one partition, start <= offset < end."""

    partition: int
    start: int
    end: int


Offsets = Mapping[int, int]
"""Partition to the next offset to read."""


def unread(position: Offsets, landed: Offsets, counted: Offsets) -> Iterator[Span]:
    """The spans between where we are and what has landed, in pieces that fit in memory.

    Args:
        position: the next offset to read; 0 where there is none.
        landed: where to stop.
        counted: a span that begins before this offset ends there, too.
    """
    for partition, end in landed.items():
        start = position.get(partition, 0)
        again = min(counted.get(partition, 0), end)
        yield from _pieces(partition, start, again)
        yield from _pieces(partition, max(start, again), end)


def _pieces(partition: int, start: int, end: int) -> Iterator[Span]:
    for begun in range(start, end, OFFSETS_A_READ):
        yield Span(partition, begun, min(begun + OFFSETS_A_READ, end))


def gone_back(position: Offsets, trained_on: Offsets) -> dict[int, int]:
    """Where to go on for a model of other data: what is read twice is noted once.

    A partition that the model was not trained on is read from its beginning.
    """
    return {
        partition: min(start, position.get(partition, start))
        for partition, start in trained_on.items()
    }


class ActivityFollower:
    """Brings the recent activity up to what has landed; see the module."""

    def __init__(
        self,
        connection: KeptConnection,
        topic: str,
        activity: RecentActivity,
        trending: Trending,
        freshness: Histogram,
    ) -> None:
        self._connection = connection
        self._topic = topic
        self._activity = activity
        self._trending = trending
        self._freshness = freshness
        self._position: dict[int, int] = {}
        self._counted: dict[int, int] = {}
        """How far what is trending has been counted: no model makes it be counted again."""
        self._trained_on: Offsets | None = None

    def catch_up(self, trained_on: Offsets) -> None:
        """Read what has landed since the last time, or since the offsets of a new model's data.

        Raises:
            psycopg.Error: it could not be read; the next call goes on from there.
        """
        connection = self._connection.get()
        landed = landed_offsets(connection, self._topic)
        is_live = trained_on == self._trained_on
        if not is_live:
            self._position = gone_back(self._position, trained_on)
            self._activity.forget(trained_on)
        for span in unread(self._position, landed, self._counted):
            self._read(connection, span, is_live=is_live)
            self._position[span.partition] = span.end
            counted = self._counted.get(span.partition, 0)
            self._counted[span.partition] = max(counted, span.end)
        self._trained_on = trained_on

    def _read(self, connection: psycopg.Connection, span: Span, *, is_live: bool) -> None:
        now = datetime.now(UTC)
        is_first = span.start >= self._counted.get(span.partition, 0)
        rows = connection.execute(ROWS, span._asdict())
        for user_id, movie_id, rating, time, offset in rows:
            when = moment(time, span.partition, offset)
            if self._activity.note(user_id, movie_id, rating, when) and is_first:
                self._trending.count(movie_id, time)
            if is_live:
                self._freshness.observe((now - time).total_seconds())


def landed_offsets(connection: psycopg.Connection, topic: str) -> Offsets:
    """For each partition, the offset up to which every row is visible."""
    return dict(
        connection.execute(
            "SELECT log_partition, next_offset FROM stream_offset WHERE topic = %s", (topic,)
        ).fetchall()
    )

"""Follows what has landed, and keeps recent activity and what is trending up to it.

Rows are followed by partition and offset, never by time or id: those become visible out
of order, while a partition's rows up to `stream_offset` are all there once it says so.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import psycopg
from prometheus_client import Histogram

from recommender.activity.recent import RecentActivity
from recommender.activity.trending import Trending
from recommender.connection import KeptConnection

OFFSETS_A_READ = 100_000
"""So many offsets are read at once: a slot that starts far behind stays small."""

ROWS = """
SELECT user_id, movie_id, 'NaN'::real, max(time) FROM watch
WHERE log_partition = %(partition)s AND log_offset >= %(start)s AND log_offset < %(end)s
GROUP BY user_id, movie_id
UNION ALL (
    SELECT user_id, movie_id, rating, time FROM rating
    WHERE log_partition = %(partition)s AND log_offset >= %(start)s AND log_offset < %(end)s
    ORDER BY log_offset
)
"""


class Span(NamedTuple):
    """Offsets of one partition, start <= offset < end."""

    partition: int
    start: int
    end: int


Offsets = Mapping[int, int]
"""Partition to the next offset to read."""


def unread(position: Offsets, landed: Offsets) -> Iterator[Span]:
    """The spans between where we are and what has landed, in pieces that fit in memory."""
    for partition, end in landed.items():
        for start in range(position.get(partition, 0), end, OFFSETS_A_READ):
            yield Span(partition, start, min(start + OFFSETS_A_READ, end))


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
        lately: Trending,
        freshness: Histogram,
    ) -> None:
        self._connection = connection
        self._topic = topic
        self._activity = activity
        self._lately = lately
        self._freshness = freshness
        self._position: dict[int, int] = {}
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
        for span in unread(self._position, landed):
            self._read(connection, span, is_live=is_live)
            self._position[span.partition] = span.end
        self._trained_on = trained_on

    def _read(self, connection: psycopg.Connection, span: Span, *, is_live: bool) -> None:
        now = datetime.now(UTC)
        for user_id, movie_id, rating, time in connection.execute(ROWS, span._asdict()):
            if self._activity.note(user_id, movie_id, rating):
                self._lately.count(movie_id, time)
            if is_live:
                self._freshness.observe((now - time).total_seconds())


def landed_offsets(connection: psycopg.Connection, topic: str) -> Offsets:
    """For each partition, the offset up to which every row is visible."""
    return dict(
        connection.execute(
            "SELECT log_partition, next_offset FROM stream_offset WHERE topic = %s", (topic,)
        ).fetchall()
    )

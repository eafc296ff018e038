"""Whether a line that can be read is taken: by its time, and by the ids it names.

Pure. There is no default partition, so a row that fits none would abort its whole batch;
such lines are rejected here instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.errors import NoPartitionError
from ingest.lines.grammar import MINUTE_ONLY, Reason, parse_time
from ingest.partition import Partition


class TimeVerdicts(dict[bytes, Reason | None]):
    """For each minute, as the stream writes it, why one table takes no event of it; else None.

    A minute is judged when it is first asked for. Partitions begin and end on whole
    minutes, so all of a minute has one verdict.

    Raises:
        NoPartitionError: the past up to now is not covered; asking again after partitions
            were made may go well.
    """

    def __init__(
        self,
        partitions: Sequence[Partition],
        now: datetime,
        tolerance: timedelta,
        published: datetime | None = None,
    ) -> None:
        """`partitions` are one table's, oldest first; `tolerance` is for clocks ahead of ours.

        A line is of the future after now and after it was `published`: where others say that it
        is later than our clock does, ours is slow.
        """
        super().__init__()
        self._partitions = partitions
        self._now = now
        self._latest = max(now, published or now) + tolerance

    def __missing__(self, minute: bytes) -> Reason | None:
        time = parse_time(minute) if MINUTE_ONLY.fullmatch(minute) else None
        verdict = self[minute] = self._judge(time)
        return verdict

    def _judge(self, time: datetime | None) -> Reason | None:
        if time is None:
            return Reason.BAD_TIME
        if time > self._latest:
            return Reason.FUTURE
        if any(partition.lower <= time < partition.upper for partition in self._partitions):
            return None
        return self._uncovered(time)

    def _uncovered(self, time: datetime) -> Reason:
        if self._partitions and time < self._partitions[-1].upper:
            return Reason.EXPIRED
        if time > self._now:
            return Reason.FUTURE
        raise NoPartitionError(f"no partition was made for {time:%Y-%m-%d %H:%M}")


@dataclass(frozen=True)
class KnownIds:
    """The users and movies that exist; a damaged line may name another and still be readable.

    `movies` is None where there is no catalogue to be strict about.
    """

    users: range = range(1, 10**18)
    movies: frozenset[bytes] | None = None

    @property
    def limited(self) -> bool:
        """Whether there is any id that the language of the stream allows and these do not."""
        return self != EVERY_ID

    def unknown(self, user: bytes, movie: bytes | None) -> Reason | None:
        """Why these ids, as a line writes them, can't be; None where they can."""
        if int(user) not in self.users:
            return Reason.UNKNOWN_USER
        if movie is not None and self.movies is not None and movie not in self.movies:
            return Reason.UNKNOWN_MOVIE
        return None


EVERY_ID = KnownIds()

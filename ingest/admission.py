"""Whether the time of a line is one that can land: in the past, and not expired.

Pure. There is no default partition, so a row that fits none would abort its whole batch;
such lines are refused here instead.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ingest.errors import NoPartitionError
from ingest.lines import Reason, parse_time
from ingest.partitions import Partition


class TimeVerdicts(dict[bytes, Reason | None]):
    """For each minute, as the stream writes it, why one table takes no event of it; else None.

    A minute is judged when it is first asked for. Partitions begin and end on whole
    minutes, so all of a minute has one verdict.

    Raises:
        NoPartitionError: the past up to now is not covered; asking again after partitions
            were made may go well.
    """

    def __init__(
        self, partitions: Sequence[Partition], now: datetime, tolerance: timedelta
    ) -> None:
        """`partitions` are one table's, oldest first; `tolerance` is for clocks ahead of ours."""
        super().__init__()
        self._partitions = partitions
        self._now = now
        self._tolerance = tolerance

    def __missing__(self, minute: bytes) -> Reason | None:
        verdict = self[minute] = self._judge(parse_time(minute))
        return verdict

    def _judge(self, time: datetime | None) -> Reason | None:
        if time is None:
            return Reason.BAD_TIME
        if time > self._now + self._tolerance:
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

"""Which partitions may go, and why the others stay. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from ingest.partitions import Partition, PartitionSettings
from ingest.tables import EventTable


@dataclass(frozen=True)
class Decision:
    """What is to become of one partition, and why."""

    partition: Partition
    drop: bool
    overdue: bool
    reason: str


def decide(
    table: EventTable,
    partitions: Iterable[Partition],
    settings: PartitionSettings,
    now: datetime,
    judged_until: datetime | None,
) -> Iterator[Decision]:
    """Decide on each partition of a table.

    `judged_until` is the earliest lease on the rows; None where nobody holds one, which
    means that nothing was judged yet. `overdue` are those past their time to live.
    """
    for partition in partitions:
        expires_at = partition.upper + table.reach + settings.time_to_live_of(table)
        overdue = expires_at <= now
        stays = _not_expired(expires_at, now) or (
            _not_judged(partition, judged_until) if table.judged else None
        )
        reason = stays or f"older than its time to live since {_written(expires_at)}"
        yield Decision(partition, stays is None, overdue, reason)


def _not_expired(expires_at: datetime, now: datetime) -> str | None:
    return (
        f"younger than its time to live until {_written(expires_at)}" if now < expires_at else None
    )


def _not_judged(partition: Partition, judged_until: datetime | None) -> str | None:
    if judged_until is None:
        return "not judged: no lease says up to where the rows are"
    if partition.upper > judged_until:
        return f"not judged: the lease holds rows from {_written(judged_until)}"
    return None


def _written(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}"

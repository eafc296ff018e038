"""Which partitions may go, and why the others stay. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ingest.partition import Partition
from ingest.retention.partition_settings import PartitionSettings
from ingest.tables import EventTable

GIB = 2**30
FAR_AHEAD = timedelta(days=1)
"""A clock that is further ahead of the newest line is not believed: it may have jumped."""
FEWEST_BY_AGE, SHARE_BY_AGE = 2, 10
"""Of each table at most so many partitions, or one in so many, go by their age in one pass."""


@dataclass(frozen=True)
class Decision:
    """What is to become of one partition, and why.

    `overdue`: it is past its time to live. `held`: it is too new, or somebody still needs it.
    """

    partition: Partition
    expires_at: datetime
    drop: bool
    overdue: bool
    held: bool
    reason: str


@dataclass(frozen=True)
class Lease:
    """Rows at or after `held_from` are still needed by `owner`."""

    owner: str
    held_from: datetime

    def stuck(self, settings: PartitionSettings, now: datetime) -> bool:
        """Whether it holds rows for longer than a lease should."""
        return now - self.held_from > settings.lease_bound


def judged_until(
    leases: Sequence[Lease], settings: PartitionSettings, now: datetime
) -> datetime | None:
    """Up to where nobody needs the rows any more; None where nobody ever held a lease.

    A lease that is stuck counts as long as the settings do not say to override it.
    """
    if not leases:
        return None
    heeded = (
        lease.held_from
        for lease in leases
        if not (settings.override_stuck_lease and lease.stuck(settings, now))
    )
    return min(heeded, default=now)


def decide(
    table: EventTable,
    partitions: Iterable[Partition],
    settings: PartitionSettings,
    now: datetime,
    judged_until: datetime | None,
) -> Iterator[Decision]:
    """Decide by age on each partition of a table.

    `judged_until` is None where nobody holds a lease, which means that nothing was judged yet.
    """
    for partition in partitions:
        expires_at = partition.upper + table.reach + settings.time_to_live_of(table)
        overdue = expires_at <= now
        held = _not_judged(partition, judged_until) if table.judged else None
        stays = _not_expired(expires_at, now) or held
        reason = stays or f"older than its time to live since {_written(expires_at)}"
        still_filling = partition.upper + table.reach > now
        yield Decision(
            partition, expires_at, stays is None, overdue, bool(held) or still_filling, reason
        )


def doubt_clock(
    decisions: Sequence[Decision], newest_line: datetime | None, now: datetime
) -> list[Decision]:
    """Drop nothing by its age while now is far ahead of the newest line that landed.

    `newest_line` is None where no line is left.
    """
    if newest_line is None or now - newest_line <= FAR_AHEAD:
        return list(decisions)
    reason = (
        f"kept: it is {_written(now)} here, and the newest line is from"
        f" {_written(newest_line)}; either the clock jumped or no lines come in"
    )
    return [replace(one, drop=False, reason=reason) if one.drop else one for one in decisions]


def bound_pass(decisions: Sequence[Decision], filled: Collection[str]) -> list[Decision]:
    """Leave some of what has expired to the next passes: a mistake shows before all is gone.

    `decisions` are of whole tables, the oldest first; `filled` names the partitions that have
    rows. The others go uncounted.
    """
    of_table = Counter(one.partition.table for one in decisions if one.partition.name in filled)
    drops: Counter[str] = Counter()
    bounded = []
    for one in decisions:
        table, counts = one.partition.table, one.drop and one.partition.name in filled
        drops[table] += counts
        if counts and drops[table] > max(FEWEST_BY_AGE, of_table[table] // SHARE_BY_AGE):
            bounded.append(replace(one, drop=False, reason="expired: its turn is in a later pass"))
        else:
            bounded.append(one)
    return bounded


def keep_budget(
    decisions: Sequence[Decision], sizes: Mapping[str, int], budget: float
) -> list[Decision]:
    """Drop also the oldest partitions that nobody holds, until the rest fits into `budget` bytes.

    `sizes` are bytes by partition name.
    """
    used = sum(sizes.get(one.partition.name, 0) for one in decisions if not one.drop)
    decided = []
    for one in sorted(decisions, key=lambda one: one.partition.upper):
        size = sizes.get(one.partition.name, 0)
        if used > budget and size and not one.drop and not one.held:
            reason = f"disk budget: {used / GIB:.3g} GiB of {budget / GIB:.3g} GiB are used"
            decided.append(replace(one, drop=True, reason=reason))
            used -= size
        else:
            decided.append(one)
    return decided


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

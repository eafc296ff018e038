"""Which windows of answers can be judged by now, and which will never change again; no I/O.

A window is judged once the stream has moved past its end plus the horizon, and judged again
when something that belongs to it comes late. It closes when the stream has moved on by the
lateness, too: what comes later is counted, and changes nothing any more. "Moved past" means
landed rows, not the clock: while ingest is behind, or the stream is silent, nothing is judged
and nothing closes too early.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Windows begin whole widths after this, so that the same answers are always judged together."""


@dataclass(frozen=True)
class Window:
    """Answers given at start <= time < end, UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Terms:
    """How answers are judged."""

    width: timedelta
    """Answers given within one such window are judged together."""
    horizon: timedelta
    """What a user does so long after an answer counts for it."""
    lateness: timedelta
    """How far behind the stream a row may come and still be judged."""


@dataclass(frozen=True)
class LandedPartition:
    """How far one partition of the stream has landed in the database."""

    landed_at: datetime
    """When its last batch was committed."""
    event_time: datetime | None
    """A typical time of its last lines; None when none of them was an event."""


def stream_progress(
    partitions: Iterable[LandedPartition], horizon: timedelta, now: datetime
) -> datetime | None:
    """Up to which event time the stream has landed: its slowest partition's.

    A partition that has landed nothing for a whole horizon while another moved on is
    silent, and not waited for. None when it cannot be told: nothing landed yet, or the
    last lines of a partition were all refused. Never later than `now`.
    """
    partitions = list(partitions)
    newest = max((partition.landed_at for partition in partitions), default=now)
    times = [p.event_time for p in partitions if p.landed_at > newest - horizon]
    known = [time for time in times if time is not None]
    if not known or len(known) < len(times):
        return None
    return min(*known, now)


def grid_floor(time: datetime, width: timedelta) -> datetime:
    """The latest bound between windows that is not after `time`."""
    return time - (time - EPOCH) % width


def window_at(time: datetime, begun: datetime, width: timedelta) -> Window:
    """The window that holds `time`; the first one may be shorter, where judging began.

    Args:
        time: at or after `begun`.
        begun: since when windows have this width.
        width: of a window.
    """
    start = grid_floor(time, width)
    return Window(max(start, begun), start + width)


def judged_until(progress: datetime, terms: Terms) -> datetime:
    """Windows that end by then can be judged."""
    return grid_floor(progress - terms.horizon, terms.width)


def closed_until(progress: datetime, terms: Terms) -> datetime:
    """Windows that end by then are never judged again."""
    return grid_floor(progress - terms.horizon - terms.lateness, terms.width)

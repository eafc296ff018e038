"""What answers were worth: which window of them can be judged, and the figures it gives.

A window is judged once the stream has moved past the last moment that counts for it:
its end plus the horizon. "Moved past" means landed rows, not the clock: while ingest is
behind, or the stream is silent, no window is judged and none is judged too early.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Window:
    """Answers given at start <= time < end, UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Counts:
    """What followed the answers of one model version in one arm during one window."""

    model_version: str
    arm: str
    answers: int
    hits: int
    """Answers whose user watched at least one recommended movie within the horizon."""
    minutes: int
    """Minutes of recommended movies watched within the horizon, over all answers."""
    ratings: int
    rating_sum: float


@dataclass(frozen=True)
class Figure:
    """One figure of one model version in one arm, and how many samples it rests on."""

    model_version: str
    arm: str
    metric: str
    value: float
    samples: int


@dataclass(frozen=True)
class LandedPartition:
    """How far one partition of the stream has landed in the database."""

    landed_at: datetime
    """When its last batch was committed."""
    event_time: datetime | None
    """A typical time of its last lines; None when none of them was an event."""


def figures(counts: Iterable[Counts]) -> Iterator[Figure]:
    """The figures of each model version and arm; one without a sample is left out.

    `answers` counts them; `hit_rate` is the share of answers (0 to 1) that led to
    watching; `minutes_per_answer` and `rating_mean` are what their names say.
    """
    for count in counts:
        yield from _figures(count)


def _figures(count: Counts) -> Iterator[Figure]:
    sums = {
        "hit_rate": (count.hits, count.answers),
        "minutes_per_answer": (count.minutes, count.answers),
        "rating_mean": (count.rating_sum, count.ratings),
    }
    if count.answers:
        yield Figure(count.model_version, count.arm, "answers", count.answers, count.answers)
    for metric, (total, samples) in sums.items():
        if samples:
            yield Figure(count.model_version, count.arm, metric, total / samples, samples)


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


def past_empty_windows(watermark: datetime, until: datetime, width: timedelta) -> datetime:
    """The watermark moved on by the whole windows that end by `until`."""
    return watermark + max(0, (until - watermark) // width) * width

"""When what recurs is due, by the library with which the job queue reads the same schedules."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated

from croniter import croniter
from pydantic import AfterValidator

FIELDS = (5, 6)
"""How many there are, without and with seconds."""
RUNS_LOOKED_AT, SPAN_LOOKED_AT = 5_000, timedelta(days=366)


def is_schedule(cron: str) -> str:
    """Hand a schedule on if the job queue can read it and it comes to pass.

    Raises:
        ValueError: it has another number of fields, or none of its times ever comes.
    """
    if len(cron.split()) not in FIELDS or not croniter.is_valid(cron):
        raise ValueError("not minute, hour, day, month and weekday of cron, such as `0 3 * * *`")
    next_due(cron, datetime.now(UTC))
    return cron


type Schedule = Annotated[str, AfterValidator(is_schedule)]
"""Minute, hour, day, month, weekday and perhaps second, in UTC, as cron has them."""


def next_due(cron: str, after: datetime) -> datetime:
    """The first time of a schedule after a moment, in UTC.

    Raises:
        ValueError: there is none, as of a 30th of February.
    """
    due = croniter(cron, after.timestamp()).get_next(float)
    return datetime.fromtimestamp(round(due), UTC)


def longest_interval(cron: str, after: datetime) -> timedelta:
    """The longest time between two runs that follow one another, of the runs of a year.

    Of those that come so often that a few days hold thousands, the first thousands.
    """
    runs = croniter(cron, after.timestamp())
    times = (float(runs.get_next(float)) for _ in range(RUNS_LOOKED_AT))
    longest, end = 0.0, after.timestamp() + SPAN_LOOKED_AT.total_seconds()
    for earlier, later in pairwise(times):
        longest = max(longest, later - earlier)
        if later > end:
            break
    return timedelta(seconds=longest)

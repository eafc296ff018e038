from datetime import UTC, datetime, timedelta

import pytest

from ingest.errors import NoPartitionError
from ingest.lines.admission import TimeVerdicts
from ingest.lines.grammar import Reason
from ingest.partition import Partition

DAY = timedelta(days=1)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOON.replace(hour=0)


def days(first: int, last: int) -> list[Partition]:
    return [Partition("watch", TODAY + n * DAY, TODAY + (n + 1) * DAY) for n in range(first, last)]


def verdict(minute: bytes, partitions: list[Partition]) -> Reason | None:
    return TimeVerdicts(partitions, NOON, timedelta(minutes=5))[minute]


@pytest.mark.parametrize(
    ("minute", "expected"),
    [
        (b"2026-03-10T12:00", None),
        (b"2026-03-10T12:05", None),
        (b"2026-03-10T12:06", Reason.FUTURE),
        (b"2026-03-08T00:00", None),
        (b"2026-03-07T23:59", Reason.EXPIRED),
        (b"2026-02-30T23:59", Reason.BAD_TIME),
    ],
)
def test_a_minute_is_judged_by_the_clock_and_the_partitions(minute, expected):
    assert verdict(minute, days(-2, 2)) == expected


@pytest.mark.parametrize(
    ("minute", "expected"),
    [(b"2026-03-10T15:05", None), (b"2026-03-10T15:06", Reason.FUTURE)],
)
def test_where_lines_are_published_later_than_it_is_our_clock_is_slow(minute, expected):
    published = NOON + timedelta(hours=3)
    verdicts = TimeVerdicts(days(-2, 2), NOON, timedelta(minutes=5), published)
    assert verdicts[minute] == expected


def test_what_was_published_before_now_makes_no_difference():
    verdicts = TimeVerdicts(days(-2, 2), NOON, timedelta(minutes=5), NOON - DAY)
    assert verdicts[b"2026-03-10T12:05"] is None


def test_a_line_beyond_all_partitions_is_of_the_future_whenever_it_says_it_was_published():
    verdicts = TimeVerdicts(days(-2, 2), NOON, timedelta(minutes=5), NOON + 999 * DAY)
    assert verdicts[b"2027-03-10T12:00"] == Reason.FUTURE


def test_a_hole_between_partitions_has_expired():
    assert verdict(b"2026-03-08T10:00", days(-3, -2) + days(-1, 2)) == Reason.EXPIRED


def test_the_present_without_a_partition_is_nobodys_fault_but_ours():
    with pytest.raises(NoPartitionError):
        verdict(b"2026-03-10T12:00", days(-3, 0))


def test_a_minute_ahead_of_us_that_no_partition_covers_is_the_future():
    assert verdict(b"2026-03-10T12:04", days(-3, 0)) == Reason.FUTURE

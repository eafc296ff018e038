from datetime import UTC, datetime, timedelta

import pytest

from ingest.partition import Partition
from ingest.retention.expiry import (
    GIB,
    Decision,
    Lease,
    bound_pass,
    decide,
    doubt_clock,
    judged_until,
    keep_budget,
)
from ingest.retention.partition_settings import PartitionSettings
from ingest.tables import EVENT_TABLES

DAY = timedelta(days=1)
TODAY = datetime(2026, 3, 10, tzinfo=UTC)
SETTINGS = PartitionSettings(time_to_live=7 * DAY, long_time_to_live=30 * DAY)
TABLES = {table.name: table for table in EVENT_TABLES}
WATCH, RATING, REJECT, VIEWING = (TABLES[name] for name in ("watch", "rating", "reject", "viewing"))


def decided(table, upper: datetime, judged_until: datetime | None = TODAY) -> Decision:
    partition = Partition(table.name, upper - DAY, upper)
    return next(decide(table, [partition], SETTINGS, TODAY, judged_until))


@pytest.mark.parametrize(
    ("table", "age", "drop"),
    [
        (WATCH, 7 * DAY, True),
        (WATCH, 6 * DAY, False),
        (RATING, 30 * DAY, True),
        (RATING, 29 * DAY, False),
        (VIEWING, 30 * DAY, False),
        (VIEWING, 31 * DAY, True),
    ],
)
def test_a_partition_goes_when_its_last_row_has_lived_long_enough(table, age, drop):
    assert decided(table, TODAY - age).drop == drop


def test_a_judged_table_waits_for_the_lease():
    decision = decided(WATCH, TODAY - 8 * DAY, judged_until=TODAY - 9 * DAY)
    assert (decision.drop, decision.overdue) == (False, True)


def test_a_judged_table_stays_where_nobody_judges():
    assert not decided(WATCH, TODAY - 8 * DAY, judged_until=None).drop


def test_other_tables_wait_for_nobody():
    assert decided(REJECT, TODAY - 8 * DAY, judged_until=None).drop


def test_the_lease_may_end_exactly_where_the_partition_does():
    assert decided(WATCH, TODAY - 8 * DAY, judged_until=TODAY - 8 * DAY).drop


@pytest.mark.parametrize(
    ("days_ago", "override", "expected"),
    [
        ([], True, None),
        ([3], False, TODAY - 3 * DAY),
        ([3, 8], False, TODAY - 8 * DAY),
        ([3, 8], True, TODAY - 3 * DAY),
        ([8], True, TODAY),
    ],
)
def test_the_earliest_lease_that_is_heeded_decides(days_ago, override, expected):
    leases = [Lease(f"owner {days}", TODAY - days * DAY) for days in days_ago]
    settings = SETTINGS.model_copy(update={"override_stuck_lease": override})
    assert judged_until(leases, settings, TODAY) == expected


def test_a_budget_takes_the_oldest_that_nobody_holds_until_the_rest_fits():
    uppers = [TODAY - days * DAY for days in (5, 4, 3, 2)]
    decisions = [decided(WATCH, upper, judged_until=TODAY - 3 * DAY) for upper in reversed(uppers)]
    sizes = {one.partition.name: GIB for one in decisions}
    kept = keep_budget(decisions, sizes, 2 * GIB)
    assert [(one.partition.upper, one.drop) for one in kept] == [
        (uppers[0], True),
        (uppers[1], True),
        (uppers[2], False),
        (uppers[3], False),
    ]
    assert kept[0].reason == "disk budget: 4 GiB of 2 GiB are used"


def test_a_budget_never_takes_what_is_held_or_still_filling():
    decisions = [
        decided(WATCH, TODAY - 2 * DAY, judged_until=TODAY - 3 * DAY),
        decided(REJECT, TODAY + DAY),
    ]
    sizes = {one.partition.name: GIB for one in decisions}
    assert not any(one.drop for one in keep_budget(decisions, sizes, 0))


def expired(table, count: int) -> list[Decision]:
    """That many expired partitions of a table, the oldest first."""
    uppers = [TODAY - (40 + count - number) * DAY for number in range(count)]
    return [decided(table, upper) for upper in uppers]


@pytest.mark.parametrize(
    ("newest_line", "dropped"),
    [(None, 2), (TODAY + DAY, 2), (TODAY - DAY, 2), (TODAY - 2 * DAY, 0), (TODAY - 365 * DAY, 0)],
)
def test_nothing_goes_by_age_while_the_clock_is_far_ahead_of_the_newest_line(newest_line, dropped):
    decisions = doubt_clock(expired(WATCH, 2), newest_line, TODAY)
    assert sum(one.drop for one in decisions) == dropped
    assert dropped or "either the clock jumped or no lines come in" in decisions[0].reason


@pytest.mark.parametrize(("count", "dropped"), [(1, 1), (2, 2), (9, 2), (40, 4)])
def test_of_each_table_only_some_go_in_one_pass_the_oldest_first(count, dropped):
    both = [*expired(WATCH, count), *expired(REJECT, count)]
    decisions = bound_pass(both, {one.partition.name for one in both})
    for of_table in (decisions[:count], decisions[count:]):
        assert [one.drop for one in of_table] == [True] * dropped + [False] * (count - dropped)


def test_empty_partitions_go_at_once_and_are_not_counted():
    old = expired(WATCH, 9)
    filled = {one.partition.name for one in old[4:]}
    decisions = bound_pass(old, filled)
    assert [one.drop for one in decisions] == [True] * 6 + [False] * 3

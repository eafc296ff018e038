from datetime import UTC, datetime, timedelta

import pytest

from ingest.expiry import Decision, decide
from ingest.partitions import Partition, PartitionSettings
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

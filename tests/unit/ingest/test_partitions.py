import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ingest.retention.partition_settings import PartitionSettings, wanted_partitions
from ingest.tables import EVENT_TABLES

MINUTE = timedelta(minutes=1)


@given(
    st.sampled_from(EVENT_TABLES),
    st.datetimes(datetime(2001, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- hypothesis wants naive bounds
    st.integers(1, 2000).map(lambda minutes: minutes * MINUTE),
)
def test_wanted_partitions_cover_everything_that_may_be_kept(table, now, width):
    settings = PartitionSettings(
        partition_width=width,
        long_partition_width=width,
        time_to_live=100 * width,
        long_time_to_live=100 * width,
    )
    wanted = list(wanted_partitions(table, settings, now))
    assert wanted[0].lower <= now - 100 * width - table.reach
    assert wanted[-1].lower > now
    assert all(a.upper == b.lower for a, b in itertools.pairwise(wanted))


@pytest.mark.parametrize(
    "unfit",
    [
        {"partition_width": timedelta(seconds=90)},
        {"partition_width": timedelta(0)},
        {"partition_width": MINUTE},
        {"time_to_live": timedelta(days=500)},
    ],
)
def test_settings_that_cannot_work_are_refused(unfit):
    with pytest.raises(ValidationError):
        PartitionSettings(**unfit)

"""The hour left alone: its schedule, what is slipped in, and what is held against it."""

from datetime import UTC, datetime

import pytest

from tests.drill.hour_expectations import Played, expectations, unexpected
from tests.unit.compose.shell import bash

SCHEDULE = """
fail() { echo "$1. $2" >&2; exit 1; }
source tests/run/hour.sh
choose_period '%s'
choose_schedule %s
echo "$PERIOD: $RETRAIN_CRON, $RELEASE_CRON"
"""
PLAYED = Played(
    begun=datetime(2026, 1, 31, tzinfo=UTC),
    misnamed="20260131-001000-ease",
    misranked="20260131-003000-ease",
    killed="recommender-blue",
    experiment="a try",
)


@pytest.mark.parametrize(
    ("duration", "minute", "schedule"),
    [
        ("30m", 0, "6: 0,6,12,18,24 * * * *, 3,9,15,21,27 * * * *"),
        ("50m", 55, "10: 5,15,25,35,55 * * * *, 1,11,21,31,41 * * * *"),
        ("60m", 7, "12: 7,19,31,43,55 * * * *, 2,14,26,38,50 * * * *"),
    ],
)
def test_each_fifth_of_it_has_a_training_and_then_a_release(duration, minute, schedule):
    assert bash(SCHEDULE % (duration, minute)).stdout.strip() == schedule


@pytest.mark.parametrize("duration", ["", "an hour", "1h", "25m", "37m", "0m", "65m"])
def test_a_length_that_is_none_is_refused(duration):
    done = bash(SCHEDULE % (duration, 0))
    assert done.returncode == 1
    assert done.stderr.startswith(f"HOUR is '{duration}'. ")


def test_where_nothing_happened_nothing_is_met():
    def sql(statement):
        """Counts are 0, and there are no rows."""
        counts = statement.split(" FROM ")[0].count(",") + 1
        return [(0,) * counts] if statement.startswith("SELECT count") else []

    found = list(expectations(sql, PLAYED))
    assert [each.expected for each in found if each.met] == []


@pytest.mark.parametrize(
    ("alerts", "met"),
    [
        ({("Watchdog", "none"), ("SlackNotSet", "setup"), ("ReleaseAborted", "warning")}, True),
        ({("ReleaseAborted", "warning"), ("AuditUnbalanced", "critical")}, False),
        ({("ReleaseAborted", "warning"), ("DiskFillingUp", "critical")}, True),
        ({("Watchdog", "none")}, False),
    ],
)
def test_what_was_done_to_it_alerts_and_nothing_else(alerts, met):
    assert unexpected(alerts).met is met

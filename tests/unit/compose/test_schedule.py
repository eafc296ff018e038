"""Schedules as the job queue reads them: when something is due, and what is none."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st

from compose.service.schedule import is_schedule, longest_interval, next_due
from tests.unit.compose.shell import bash

NOW = datetime(2026, 1, 31, 12, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "due"),
    [
        ("* * * * *", datetime(2026, 1, 31, 12, 8, tzinfo=UTC)),
        ("* * * * * */5", datetime(2026, 1, 31, 12, 7, 35, tzinfo=UTC)),
        ("*/15 * * * *", datetime(2026, 1, 31, 12, 15, tzinfo=UTC)),
        ("0 2 * * 0", datetime(2026, 2, 1, 2, tzinfo=UTC)),
        ("0 3 1 * *", datetime(2026, 2, 1, 3, tzinfo=UTC)),
    ],
)
def test_a_run_is_due_at_the_next_time_of_its_schedule(cron, due):
    assert next_due(cron, NOW) == due


@pytest.mark.parametrize(
    ("cron", "longest"),
    [
        ("* * * * *", timedelta(minutes=1)),
        ("0 3 * * *", timedelta(days=1)),
        ("0 3 * * 1-5", timedelta(days=3)),
        ("0 3 1 * *", timedelta(days=31)),
        ("0 3 1 1 *", timedelta(days=365)),
        ("*/15 8-17 * * 1-5", timedelta(days=2, hours=14, minutes=15)),
    ],
)
def test_the_longest_interval_is_that_between_runs_that_lie_furthest_apart(cron, longest):
    assert longest_interval(cron, NOW) == longest


@pytest.mark.parametrize("text", ["", "hello", "* * * *", "60 * * * *", "0 0 30 2 *", "@daily"])
def test_what_is_no_schedule_or_never_comes_is_refused(text):
    with pytest.raises(ValueError, match=r"cron|failed to find"):
        is_schedule(text)


FIELD = st.text("0123456789*-,/", min_size=1, max_size=5)
USUAL = st.sampled_from(["*", "0", "7", "*/5", "1-5", "1,2", "30", "31", "2", "0-23/2"])
CRONS = st.lists(st.one_of(USUAL, FIELD), min_size=4, max_size=7).map(" ".join)
READ = """
source compose/up/say.sh; source compose/up/allowed.sh
while IFS= read -r text; do if cron "$text"; then echo yes; else echo no; fi; done
"""


@given(st.lists(CRONS, min_size=60, max_size=60))
@settings(max_examples=10)
def test_what_make_up_takes_for_a_schedule_the_job_queue_does_too(crons):
    lines = base64.b64encode("\n".join([*crons, ""]).encode()).decode()
    said = bash(f"base64 --decode <<< {lines} | {{ {READ} }}").stdout.split()
    for cron, taken in zip(crons, said, strict=True):
        if taken == "yes":
            assert is_schedule(cron) == cron
            assert croniter.is_valid(cron)

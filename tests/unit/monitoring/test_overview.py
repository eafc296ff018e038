from datetime import UTC, datetime, timedelta

import pytest

from monitoring.status.overview import ago

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0 s ago"),
        (119, "119 s ago"),
        (120, "2 min ago"),
        (7199, "119 min ago"),
        (7200, "2 h ago"),
        (172800, "2 days ago"),
    ],
)
def test_an_age_is_told_in_the_largest_unit_that_gives_two(seconds, text):
    assert ago(NOW - timedelta(seconds=seconds), NOW) == text

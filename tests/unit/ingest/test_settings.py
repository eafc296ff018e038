from datetime import UTC, datetime

import pytest

from ingest.settings import read_start


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("earliest", "earliest"),
        ("latest", "latest"),
        ("offset 120", 120),
        ("time 2026-03-10T12:00", datetime(2026, 3, 10, 12, tzinfo=UTC)),
        ("time 2026-03-10T12:00+01:00", datetime(2026, 3, 10, 11, tzinfo=UTC)),
    ],
)
def test_a_beginning_is_read(text, expected):
    assert read_start(text) == expected


@pytest.mark.parametrize("text", ["", "120", "offset x", "time soon", "earliest 2"])
def test_what_is_no_beginning_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 -- each has the message of what could not be read
        read_start(text)

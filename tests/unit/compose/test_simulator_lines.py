import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.simulator.lines import Mishaps, damaged, written
from ingest.lines.grammar import AccountCreated, Rated, Requested, Watched, parse

NOON = datetime(2025, 11, 24, 12, 0, 7, 123456, tzinfo=UTC)
REQUEST = Requested(NOON, 7, "nginx:8082", 200, ("up+2009", "heat+1995"), None, 12)
EVENTS = (
    Watched(NOON, 7, "up+2009", 12),
    Rated(NOON, 7, "up+2009", 4),
    REQUEST,
    replace(REQUEST, status=0, movie_ids=(), error="java.net.ConnectException: Connection refused"),
    AccountCreated(NOON, 7),
)
NO_MISHAPS = Mishaps(damaged=0, doubled=0)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_the_stream_reads_the_event_that_was_written(event):
    for seed in range(300):
        ((_, line),) = written(event, NO_MISHAPS, Random(seed))
        read = parse(line)
        assert replace(read, time=NOON) == event
        assert abs((read.time - NOON).total_seconds()) < 1


def test_requests_carry_3_6_or_9_digits():
    lines = [line for seed in range(99) for _, line in written(REQUEST, NO_MISHAPS, Random(seed))]
    digits = {len(re.match(rb"[^,]*\.(\d+),", line)[1]) for line in lines}
    assert digits == {3, 6, 9}


def test_other_lines_mostly_carry_no_fraction():
    random = Random(1)
    lines = [line for _ in range(5000) for _, line in written(EVENTS[0], NO_MISHAPS, random)]
    fractions = sum(b"." in line.split(b",")[0] for line in lines)
    assert 10 <= fractions <= 120


def test_seconds_are_left_out_when_they_are_zero():
    event = Watched(NOON.replace(second=0, microsecond=0), 7, "up+2009", 1)
    ((_, line),) = written(event, NO_MISHAPS, Random(1))
    assert line == b"2025-11-24T12:00,7,GET /data/m/up+2009/1.mpg"


def test_about_one_line_in_two_thousand_is_damaged():
    random, mishaps = Random(1), Mishaps(damaged=0.0005, doubled=0)
    kinds = Counter(kind for _ in range(100_000) for kind, _ in written(EVENTS[0], mishaps, random))
    assert 25 <= kinds["damaged"] <= 80


def test_a_doubled_line_comes_twice_as_it_is():
    (_, once), (kind, twice) = written(REQUEST, Mishaps(0, doubled=1), Random(1))
    assert once == twice
    assert kind == "doubled"


@given(st.binary(max_size=60), st.integers())
def test_damage_is_one_character_too_many(line, seed):
    broken = damaged(line, Random(seed))
    assert len(broken) == len(line) + 1
    assert any(broken[:place] + broken[place + 1 :] == line for place in range(len(broken)))


def test_the_same_seed_writes_the_same_lines():
    def lines(seed):
        random = Random(seed)
        return [one for _ in range(200) for one in written(REQUEST, Mishaps(0.1, 0.1), random)]

    assert lines(1) == lines(1) != lines(2)

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.certificate.contents import (
    answers_proven,
    certificate_text,
    failing_share_at_most,
    slowest_seconds,
    text_hash,
)
from ci.slots.traffic import Traffic


def test_what_a_certificate_says_has_one_text_whatever_the_order():
    assert certificate_text({"b": 1, "a": [2]}) == certificate_text({"a": [2], "b": 1})


@given(st.dictionaries(st.text(), st.text() | st.integers()), st.text(min_size=1))
def test_contents_that_differ_have_another_hash(contents, more):
    other = contents | {"added": more}
    if other != contents:
        assert text_hash(certificate_text(contents)) != text_hash(certificate_text(other))


@pytest.mark.parametrize(
    ("failures", "trials", "bound"),
    [(0, 300, 0.01), (0, 1, 1.0), (0, 0, None), (1, 300, None)],
)
def test_without_a_failure_the_rule_of_three_bounds_the_share(failures, trials, bound):
    assert failing_share_at_most(failures, trials) == bound


def test_the_bound_is_that_of_the_binomial_distribution():
    bound = failing_share_at_most(0, 1000)
    assert (1 - bound) ** 1000 == pytest.approx(0.05, rel=0.01)


@pytest.mark.parametrize(
    ("within", "bound"),
    [
        ({}, 0.0),
        ({0.1: 0, math.inf: 0}, 0.0),
        ({0.1: 3, 0.5: 5, math.inf: 5}, 0.5),
        ({0.1: 3, math.inf: 5}, None),
    ],
    ids=["nothing counted", "nobody asked", "all within a bucket", "one beyond the last"],
)
def test_the_slowest_answer_stayed_within_a_bound(within, bound):
    assert slowest_seconds(Traffic(5, 0, within)) == bound


def test_answers_of_both_slots_are_added_up():
    proven = answers_proven((Traffic(100, 0, {0.1: 100}), Traffic(200, 0, {0.1: 100, 0.5: 200})))
    assert proven == {
        "requests": 300,
        "failed": 0,
        "failing_share_at_most": 0.01,
        "slowest_seconds": 0.5,
    }


def test_nothing_is_said_of_answers_where_a_slot_could_not_be_read():
    assert set(answers_proven((Traffic(100), None)).values()) == {None}

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.evaluation.figures import (
    Group,
    Sums,
    answer_figures,
    quantile_figure,
    ratio_figure,
    request_figures,
    wilson,
)

GROUP = Group("v1", "control")


def sums_of(people):
    """Sums over people, each with what is counted and over what."""
    return Sums(
        len(people),
        sum(y for y, _ in people),
        sum(x for _, x in people),
        sum(y * y for y, _ in people),
        sum(x * x for _, x in people),
        sum(x * y for y, x in people),
    )


def test_a_figure_is_a_total_over_a_total():
    figure = ratio_figure(GROUP, "minutes_per_answer", sums_of([(30, 1), (0, 2)]))
    assert (figure.value, figure.samples, figure.people) == (10, 3, 2)


def test_answers_of_one_person_tell_less_than_answers_of_many():
    one_each = ratio_figure(GROUP, "hit_rate", sums_of([(1, 1), (0, 1)] * 50))
    ten_each = ratio_figure(GROUP, "hit_rate", sums_of([(10, 10), (0, 10)] * 5))
    assert one_each.value == ten_each.value
    assert one_each.high - one_each.low < ten_each.high - ten_each.low


def test_a_share_of_nothing_among_few_people_may_be_more_than_nothing():
    figure = ratio_figure(GROUP, "hit_rate", sums_of([(0, 3)] * 10))
    assert figure.low == 0
    assert figure.high == pytest.approx(wilson(0, 10)[1])


def test_of_one_person_nothing_says_how_sure_a_mean_is():
    figure = ratio_figure(GROUP, "minutes_per_answer", sums_of([(3, 2)]))
    assert (figure.low, figure.high, figure.variance) == (None, None, None)


def hit_rate_of(dice, number):
    """Of so many people, with likings of their own around 0.25 and a few answers each."""
    people = []
    for _ in range(number):
        liking, answers = dice.betavariate(2, 6), dice.randrange(1, 8)
        people.append((sum(dice.random() < liking for _ in range(answers)), answers))
    return ratio_figure(GROUP, "hit_rate", sums_of(people))


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    dice = random.Random(5)
    found = [hit_rate_of(dice, 200) for _ in range(400)]
    covered = sum(figure.low <= 0.25 <= figure.high for figure in found)
    assert 0.92 <= covered / 400 <= 0.98


@pytest.mark.parametrize("number", [1, 2, 3, 5, 10, 30])
def test_of_few_people_too_intervals_cover_the_truth_as_often_as_they_say(number):
    dice = random.Random(number)
    found = [hit_rate_of(dice, number) for _ in range(400)]
    assert sum(figure.low <= 0.25 <= figure.high for figure in found) / 400 >= 0.95


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(5, 9)), min_size=1))
def test_a_share_lies_within_its_interval_and_that_within_0_and_1(people):
    figure = ratio_figure(GROUP, "hit_rate", sums_of(people))
    assert 0 <= figure.low <= figure.value + 1e-12
    assert figure.value - 1e-12 <= figure.high <= 1


def test_a_percentile_is_a_value_that_was_seen_with_others_around_it():
    figure = quantile_figure(GROUP, "response_ms_p50", 0.5, range(1, 101), 9)
    assert (figure.value, figure.low, figure.high) == (50, 40, 61)


def test_of_few_requests_nothing_is_above_the_99th_percentile():
    figure = quantile_figure(GROUP, "response_ms_p99", 0.99, [1, 2, 3], 3)
    assert (figure.value, figure.high) == (3, None)


def test_requests_are_counted_beside_their_failures_and_times():
    found = {f.metric: f.value for f in request_figures(GROUP, sums_of([(1, 2)]), [5, 600])}
    assert found == {
        "requests": 2,
        "failed_share": 0.5,
        "response_ms_p50": 5,
        "response_ms_p99": 600,
    }


def test_answers_are_counted_beside_their_hit_rate():
    found = {f.metric: f.value for f in answer_figures([(GROUP, "hit_rate", sums_of([(1, 4)]))])}
    assert found == {"answers": 4, "hit_rate": 0.25}

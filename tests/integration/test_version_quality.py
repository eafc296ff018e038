"""How sure `version_quality` is: as a person reads it in psql, of few people and of many."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from monitoring.evaluation.figures import Group, Sums, ratio_figure

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
MEAN = 0.25
"""Of people's likings, which are drawn from beta(2, 6)."""


def window(people):
    """The hit rate of one window: pairs of hits and answers, a person each."""
    return ratio_figure(
        Group("v", "control"),
        "hit_rate",
        Sums(
            len(people),
            sum(hits for hits, _ in people),
            sum(answers for _, answers in people),
            sum(hits**2 for hits, _ in people),
            sum(answers**2 for _, answers in people),
            sum(hits * answers for hits, answers in people),
        ),
    )


def judge(owner, version, windows):
    """Windows of one version as evaluation writes them."""
    owner.cursor().executemany(
        "INSERT INTO online_metric (window_start, window_end, model_version, arm, metric, value,"
        " variance, samples, people) VALUES (%s, %s, %s, 'control', 'hit_rate', %s, %s, %s, %s)",
        [
            (
                *(BEGUN + number * HOUR, BEGUN + (number + 1) * HOUR, version),
                *(one.value, one.variance, one.samples, one.people),
            )
            for number, one in enumerate(windows)
        ],
    )


def intervals(owner):
    return {
        version: (low, high)
        for version, low, high in owner.execute(
            "SELECT model_version, hit_rate_low, hit_rate_high FROM version_quality"
        )
    }


def played(seed, number, windows=10):
    """The same people in each window, each with a liking of their own."""
    dice = random.Random(seed)
    likings = [dice.betavariate(2, 6) for _ in range(number)]

    def answered(liking):
        answers = dice.randrange(1, 8)
        return sum(dice.random() < liking for _ in range(answers)), answers

    return [window([answered(liking) for liking in likings]) for _ in range(windows)]


@pytest.mark.parametrize("number", [1, 2, 5, 60])
def test_of_people_who_came_back_the_interval_covers_the_truth_as_often_as_it_says(owner, number):
    for seed in range(200):
        judge(owner, f"v{seed}", played(seed, number))
    found = intervals(owner).values()
    assert sum(low <= MEAN <= high for low, high in found) / 200 >= 0.95


def test_windows_of_one_person_do_not_make_it_sure(owner):
    """One of ten answers, all of one person, led to watching."""
    judge(owner, "v", [window([(int(number == 0), 1)]) for number in range(10)])
    ((low, high),) = intervals(owner).values()
    assert low < 0.05
    assert high > 0.7


def test_where_nobody_watched_somebody_may(owner):
    judge(owner, "v", [window([(0, 3)] * 4)] * 5)
    ((low, high),) = intervals(owner).values()
    assert (low, high) == (0, pytest.approx(3.8416 / (4 + 3.8416)))


def test_many_people_make_it_as_sure_as_one_window_of_them_is(owner):
    (one,) = played(1, 1000, windows=1)
    judge(owner, "v", [one] * 3)
    ((low, high),) = intervals(owner).values()
    assert (low, high) == (pytest.approx(one.low), pytest.approx(one.high))


def test_a_version_whose_answers_are_not_judged_yet_has_no_interval(owner):
    owner.execute(
        "INSERT INTO online_metric (window_start, window_end, model_version, arm, metric, value,"
        " samples) VALUES (%s, %s, 'v', 'control', 'requests', 5, 5)",
        (BEGUN, BEGUN + HOUR),
    )
    assert intervals(owner) == {"v": (None, None)}

"""Answers follow what users do and which model there is, though lines are kept ready."""

import pytest

from recommender.activity import RecentActivity
from recommender.answers import Answers
from recommender.metrics import Metrics
from recommender.receipts import ReceiptQueue
from tests.unit.recommender.versions import MOVIES, publish

FIRST, SECOND = "20260101-000000-ease", "20260102-000000-ease"


@pytest.fixture
def activity():
    return RecentActivity(10)


@pytest.fixture
def answers(activity):
    metrics = Metrics()
    return Answers(activity, ReceiptQueue(10, metrics), metrics)


def first_movie(line):
    return line.decode().split(",")[0]


def test_what_a_user_did_changes_the_next_answer(answers, activity, tmp_path):
    model = publish(tmp_path)
    before = answers.give(7, -1, model)
    activity.note(7, MOVIES[0], 4.0)
    after = answers.give(7, -1, model)

    assert (first_movie(before), first_movie(after)) == (MOVIES[0], MOVIES[1])


def test_another_model_answers_at_once(answers, tmp_path):
    one = publish(tmp_path, FIRST, top={7: [30]})
    other = publish(tmp_path, SECOND, top={7: [40]})

    lines = [answers.give(7, -1, model) for model in (one, other, one)]

    assert [first_movie(line) for line in lines] == [MOVIES[30], MOVIES[40], MOVIES[30]]


def test_an_answer_is_the_same_the_second_time(answers, tmp_path):
    model = publish(tmp_path, top={7: [30]})

    assert answers.give(7, -1, model) == answers.give(7, -1, model)

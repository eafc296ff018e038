"""Answers follow what users do and which model there is, though lines are kept ready."""

import pytest

from recommender.activity.recent import RecentActivity
from recommender.answers.answers import Answers
from recommender.answers.ranking import Fallback
from recommender.metrics import Metrics
from recommender.receipts.queue import ReceiptQueue
from tests.unit.recommender.versions import MOVIES, publish

FIRST, SECOND = "20260101-000000-ease", "20260102-000000-ease"


@pytest.fixture
def activity():
    return RecentActivity(10)


@pytest.fixture
def fallback():
    """The fallback of now, in a list so that a test can change it."""
    return [Fallback()]


@pytest.fixture
def answers(activity, fallback):
    metrics = Metrics()
    return Answers(activity, lambda _user: fallback[0], ReceiptQueue(10, metrics), metrics)


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


def test_what_becomes_popular_reaches_a_stranger_and_leaves_a_known_user_alone(
    answers, fallback, tmp_path
):
    model = publish(tmp_path, top={7: range(20, 40)})
    before = [answers.give(user, -1, model) for user in (7, 999)]
    fallback[0] = Fallback(lately=[MOVIES[50]])
    after = [answers.give(user, -1, model) for user in (7, 999)]

    assert [first_movie(line) for line in before] == [MOVIES[20], MOVIES[0]]
    assert [first_movie(line) for line in after] == [MOVIES[20], MOVIES[50]]


def test_strangers_share_a_line_until_something_is_known_of_one(answers, activity, tmp_path):
    model = publish(tmp_path, top={7: range(20, 40)})
    first, second = (answers.give(user, -1, model) for user in (998, 999))
    activity.note(999, MOVIES[0], 5.0)

    assert first is second
    assert first_movie(answers.give(999, -1, model)) == MOVIES[1]
    assert answers.give(998, -1, model) is first


def test_a_flood_of_strangers_takes_no_line_from_known_users(answers, tmp_path, monkeypatch):
    monkeypatch.setattr("recommender.answers.answers.LINES_KEPT", 2)
    model = publish(tmp_path, top={7: range(20, 40)})
    before = answers.give(7, -1, model)
    for user in range(1000, 1010):
        answers.give(user, -1, model)

    assert answers.give(7, -1, model) is before


def test_an_answer_in_full_has_its_receipt(answers, tmp_path):
    given, receipt_id = answers.give_in_full(7, 42, publish(tmp_path), 3)

    assert given.movie_ids == list(MOVIES[:3])
    assert receipt_id.version == 7

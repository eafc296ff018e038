"""Answers follow what users do and which model there is, though lines are kept ready."""

import json

import pytest

from recommender.activity.recent import RecentActivity
from recommender.answers.answers import Answers, Question
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
def receipts():
    return ReceiptQueue(10, Metrics())


@pytest.fixture
def answers(activity, fallback, receipts):
    return Answers(activity, lambda _user: fallback[0], receipts, Metrics())


def first_movie(line):
    return line.decode().split(",")[0]


def test_what_a_user_did_changes_the_next_answer(answers, activity, tmp_path):
    model = publish(tmp_path)
    before = answers.give(Question(7), model)
    activity.note(7, MOVIES[0], 4.0, 1)
    after = answers.give(Question(7), model)

    assert (first_movie(before), first_movie(after)) == (MOVIES[0], MOVIES[1])


def test_another_model_answers_at_once(answers, tmp_path):
    one = publish(tmp_path, FIRST, top={7: [30]})
    other = publish(tmp_path, SECOND, top={7: [40]})

    lines = [answers.give(Question(7), model) for model in (one, other, one)]

    assert [first_movie(line) for line in lines] == [MOVIES[30], MOVIES[40], MOVIES[30]]


def test_an_answer_is_the_same_the_second_time(answers, tmp_path):
    model = publish(tmp_path, top={7: [30]})

    assert answers.give(Question(7), model) == answers.give(Question(7), model)


def test_what_becomes_popular_reaches_a_stranger_and_leaves_a_known_user_alone(
    answers, fallback, tmp_path
):
    model = publish(tmp_path, top={7: range(20, 40)})
    before = [answers.give(Question(user), model) for user in (7, 999)]
    fallback[0] = Fallback(trending=[MOVIES[50]])
    after = [answers.give(Question(user), model) for user in (7, 999)]

    assert [first_movie(line) for line in before] == [MOVIES[20], MOVIES[0]]
    assert [first_movie(line) for line in after] == [MOVIES[20], MOVIES[50]]


def test_strangers_share_a_line_until_something_is_known_of_one(answers, activity, tmp_path):
    model = publish(tmp_path, top={7: range(20, 40)})
    first, second = (answers.give(Question(user), model) for user in (998, 999))
    activity.note(999, MOVIES[0], 5.0, 1)

    assert first is second
    assert first_movie(answers.give(Question(999), model)) == MOVIES[1]
    assert answers.give(Question(998), model) is first


def test_a_flood_of_strangers_takes_no_line_from_known_users(answers, tmp_path, monkeypatch):
    monkeypatch.setattr("recommender.answers.lines.LINES_KEPT", 2)
    model = publish(tmp_path, top={7: range(20, 40)})
    before = answers.give(Question(7), model)
    for user in range(1000, 1010):
        answers.give(Question(user), model)

    assert answers.give(Question(7), model) is before


def in_full(answers, model, **asked):
    return json.loads(answers.give_in_full(Question(7, **asked), model))


def test_an_answer_in_full_has_its_receipt(answers, receipts, tmp_path):
    told = in_full(answers, publish(tmp_path), bucket=42, length=3)

    (receipt,) = receipts.take(10)
    assert [movie["movie_id"] for movie in told["movies"]] == list(MOVIES[:3])
    assert told["receipt_id"] == str(receipt.receipt_id)
    assert (receipt.bucket, receipt.movies) == (42, ",".join(MOVIES[:3]))


def test_an_answer_in_full_that_is_kept_ready_has_a_receipt_and_a_user_of_its_own(
    answers, tmp_path
):
    model = publish(tmp_path)
    told = [json.loads(answers.give_in_full(Question(user), model)) for user in (998, 998, 999)]

    assert len({each["receipt_id"] for each in told}) == 3
    assert [each["user_id"] for each in told] == [998, 998, 999]
    assert told[0]["movies"] == told[1]["movies"] == told[2]["movies"]


@pytest.mark.parametrize("count", [1, 19, 20, 21, 60])
def test_a_list_of_any_length_is_the_beginning_of_the_longest(answers, activity, tmp_path, count):
    model = publish(tmp_path, top={7: [30, 31]}, seen={7: [1]}, rated=4.0, likes={3: [50]})
    activity.note(7, MOVIES[3], 5.0, 1)
    longest = in_full(answers, model, length=100)

    asked = in_full(answers, model, length=count)
    line = answers.give(Question(7, length=count), model).decode().removesuffix("\n").split(",")
    assert asked["movies"] == longest["movies"][:count]
    assert line == [movie["movie_id"] for movie in asked["movies"]]


def test_an_answer_in_full_costs_no_ranking_where_the_line_is_kept(answers, activity, tmp_path):
    model = publish(tmp_path, likes={3: [50]})
    activity.note(7, MOVIES[3], 5.0, 1)
    ranked = counted_fold_ins(model)
    answers.give(Question(7), model)
    for count in (1, 20, 100):
        in_full(answers, model, length=count)

    assert ranked == [1]


def test_what_changes_reaches_answers_in_full_at_once(answers, activity, tmp_path):
    model = publish(tmp_path)
    before = in_full(answers, model)
    activity.note(7, MOVIES[0], 4.0, 1)
    after = in_full(answers, model)

    assert (before["movies"][0], after["movies"][0]) == (
        {"movie_id": MOVIES[0], "score": None},
        {"movie_id": MOVIES[1], "score": None},
    )


def test_an_answer_that_nobody_sees_leaves_no_receipt(answers, receipts, tmp_path):
    answers.give(Question(7, is_shown=False), publish(tmp_path))

    assert len(receipts) == 0


def counted_fold_ins(model, seconds=0.0, clock=None):
    """A list that holds one 1 for each ranking from now on, each taking so long by the clock."""
    done = []
    fold_in = model.contents.model.fold_in

    def counted(items, ratings):
        done.append(1)
        if clock:
            clock[0] += seconds
        return fold_in(items, ratings)

    object.__setattr__(model.contents.model, "fold_in", counted)
    return done


class TestRankingTime:
    """Rankings that take 80 ms each."""

    @pytest.fixture
    def clock(self, monkeypatch):
        now = [1000.0]
        monkeypatch.setattr("recommender.answers.answers.time.perf_counter", lambda: now[0])
        return now

    @pytest.fixture
    def model(self, tmp_path, activity):
        for user in range(1, 9):
            activity.note(user, MOVIES[3], 5.0, 1)
        top = {user: range(20, 40) for user in range(1, 5)}
        return publish(tmp_path, top=top, seen={1: [2]}, rated=4.0, likes={3: [50]})

    def first_movies(self, answers, model, caller, users):
        asked = (Question(user, caller=caller) for user in users)
        return [first_movie(answers.give(question, model)) for question in asked]

    def test_a_caller_who_used_its_share_up_gets_lists_of_the_training_and_others_go_on(
        self, clock, activity, fallback, model
    ):
        metrics = Metrics()
        answers = Answers(activity, lambda _user: fallback[0], ReceiptQueue(10, metrics), metrics)
        ranked = counted_fold_ins(model, 0.08, clock)

        assert self.first_movies(answers, model, "10.0.0.1", (1, 2, 3, 5)) == [
            *[MOVIES[50]] * 2,
            MOVIES[20],
            MOVIES[0],
        ]
        assert len(ranked) == 2
        assert metrics.registry.get_sample_value("marquee_unranked_answers_total") == 2
        clock[0] += 0.06
        assert self.first_movies(answers, model, "10.0.0.2", (3,)) == [MOVIES[50]]

    def test_what_could_not_be_ranked_is_ranked_when_there_is_time(self, clock, answers, model):
        ranked = counted_fold_ins(model, 0.08, clock)
        before = self.first_movies(answers, model, "10.0.0.1", (1, 2, 3))
        clock[0] += 1
        after = self.first_movies(answers, model, "10.0.0.1", (3, 3))

        assert (before[-1], after) == (MOVIES[20], [MOVIES[50]] * 2)
        assert len(ranked) == 3

    def test_who_has_no_list_of_the_training_waits_for_time_like_others_and_is_ranked_once(
        self, clock, answers, tmp_path
    ):
        users = {"top": {1: [], 2: [], 3: []}, "listed": [], "seen": {1: [3], 2: [3], 3: [3]}}
        model = publish(tmp_path, **users, rated=5.0, likes={3: [50]})
        ranked = counted_fold_ins(model, 0.08, clock)
        before = self.first_movies(answers, model, "10.0.0.1", (1, 2, 3, 1))
        clock[0] += 1
        after = self.first_movies(answers, model, "10.0.0.1", (3, 3))

        assert before == [*[MOVIES[50]] * 2, MOVIES[0], MOVIES[50]]
        assert after == [MOVIES[50]] * 2
        assert len(ranked) == 3

    def test_what_is_kept_costs_nobody_s_share(self, clock, answers, model):
        counted_fold_ins(model, 0.08, clock)

        assert self.first_movies(answers, model, "10.0.0.1", (1,) * 100) == [MOVIES[50]] * 100


def test_what_stands_before_the_model_reaches_a_known_user_when_it_has_something_to_say(
    answers, fallback, tmp_path
):
    known_first = {"0": ["popular"], "1": ["lately", "model", "popular"]}
    top = {7: list(range(20, 50))}
    model = publish(tmp_path, top=top, seen={7: [0]}, sources=known_first)
    assert first_movie(answers.give(Question(7), model)) == MOVIES[20]
    fallback[0] = Fallback(trending=[MOVIES[55]])
    assert first_movie(answers.give(Question(7), model)) == MOVIES[55]

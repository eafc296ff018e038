"""Lists drafted from two versions, as they are sent and as their receipts say it."""

import json

import pytest

from recommender.activity.recent import RecentActivity
from recommender.answers.answers import Answers, Question
from recommender.answers.ranking import NO_FALLBACK
from recommender.answers.team_draft import coins_of, letters_of, team_draft
from recommender.metrics import Metrics
from recommender.receipts.queue import ReceiptQueue
from tests.unit.recommender.versions import MOVIES, publish

CONTROL, CHALLENGER = "20260101-000000-ease", "20260102-000000-ease"
USER, STRANGER = 7, 8


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def activity():
    return RecentActivity(10)


@pytest.fixture
def receipts(metrics):
    return ReceiptQueue(1000, metrics)


@pytest.fixture
def answers(activity, receipts, metrics):
    return Answers(activity, lambda _user: NO_FALLBACK, receipts, metrics)


@pytest.fixture
def versions(tmp_path):
    control = publish(tmp_path, CONTROL, top={USER: range(10, 32)}, seen={USER: [40, 41]})
    return control, publish(tmp_path, CHALLENGER, top={USER: range(25, 47)})


def listed(answers, model, **asked):
    return answers.give(Question(USER, **asked), model).decode().strip().split(",")


def test_a_list_is_the_draft_of_both_lists_by_the_coins_of_its_receipt(answers, versions, receipts):
    for count in (20, 7, 50):
        both = [listed(answers, model, length=count) for model in versions]
        receipts.take(10)
        line = answers.give(Question(USER, length=count), *versions)
        (receipt,) = receipts.take(10)
        known = {MOVIES[40], MOVIES[41]}
        fresh = [movie for movie in both[1] if movie not in known]
        again = team_draft(both[0], fresh, count, coins_of(receipt.receipt_id.bytes))
        assert line.decode() == ",".join(again) + "\n" == receipt.movies + "\n"
        assert receipt.origins == letters_of(again.values())
        assert (receipt.model_version, receipt.interleaved_with) == (CONTROL, CHALLENGER)


def test_who_picks_first_differs_from_answer_to_answer(answers, versions, receipts):
    for _answer in range(100):
        answers.give(Question(USER), *versions)
    firsts = {receipt.origins[0] for receipt in receipts.take(100)}
    assert firsts == {"A", "="}  # the challenger's best is in both lists


def test_what_the_user_knows_is_never_shown_though_only_one_version_knows_of_it(
    answers, versions, activity
):
    """The challenger lists movies 40 and 41, which control's training saw; 30 came since."""
    activity.note(USER, MOVIES[30], 4.0, 1)
    shown = answers.give(Question(USER, length=60), *versions).decode().strip().split(",")
    assert not {MOVIES[30], MOVIES[40], MOVIES[41]} & set(shown)
    assert len(shown) == len(set(shown)) == len(MOVIES) - 3


def test_as_json_it_names_both_versions_and_each_movie_s_score_by_its_own(
    answers, versions, receipts
):
    told = json.loads(answers.give_in_full(Question(USER), *versions))
    (receipt,) = receipts.take(10)
    assert (told["model_version"], told["interleaved_with"]) == (CONTROL, CHALLENGER)
    assert [movie["movie_id"] for movie in told["movies"]] == receipt.movies.split(",")
    assert {movie["score"] for movie in told["movies"]} == {0.0}
    assert told["receipt_id"] == str(receipt.receipt_id)


def test_a_list_is_as_personal_as_the_less_personal_of_both(answers, versions, tmp_path, receipts):
    knows_nobody = publish(tmp_path, "20260103-000000-ease")
    answers.give(Question(USER), *versions)
    answers.give(Question(USER), versions[0], knows_nobody)
    assert [receipt.reason for receipt in receipts.take(10)] == ["model", "popular"]


def test_a_stranger_s_list_belongs_to_both_where_both_say_the_same(answers, versions, receipts):
    answers.give(Question(STRANGER), *versions)
    (receipt,) = receipts.take(10)
    assert receipt.origins == "=" * 20


def test_a_plain_answer_in_between_is_as_ever(answers, versions):
    before = answers.give(Question(USER), versions[0])
    answers.give(Question(USER), *versions)
    assert answers.give(Question(USER), versions[0]) is before


def test_an_interleaved_answer_is_counted_as_the_live_version_s(answers, versions, metrics):
    answers.give(Question(USER), *versions)
    labels = {"model_version": CONTROL, "reason": "model", "status": "200"}
    assert metrics.registry.get_sample_value("marquee_requests_total", labels) == 1

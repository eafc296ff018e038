"""What a slot says over HTTP, with and without a model."""

import json

import pytest

from recommender.activity.recent import RecentActivity
from recommender.answers.answers import Answers
from recommender.answers.ranking import NO_FALLBACK
from recommender.app import create_app
from recommender.metrics import Metrics
from recommender.receipts.queue import ReceiptQueue
from recommender.slot import Interleaving, Slot
from tests.unit.recommender.versions import MOVIES, NAME, publish

POPULAR = ",".join(MOVIES[:20]) + "\n"


class Running:
    """A slot's parts, wired as the service wires them, without threads."""

    def __init__(self, folder):
        self.metrics = Metrics()
        self.slot = Slot(folder, folder / "blue.json", self.metrics)
        self.receipts = ReceiptQueue(100, self.metrics)
        answers = Answers(
            RecentActivity(10), lambda _user: NO_FALLBACK, self.receipts, self.metrics
        )
        app = create_app("blue", self.slot, answers, lambda: len(self.receipts), self.metrics)
        self.client = app.test_client()

    def figure(self, name, **labels):
        return self.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
def running(tmp_path):
    return Running(tmp_path)


@pytest.fixture
def ready(running, tmp_path):
    running.slot.model = publish(tmp_path)
    return running


def test_an_answer_is_one_plain_line_of_20_movies(ready):
    response = ready.client.get("/recommend/7")

    assert (response.status_code, response.mimetype) == (200, "text/plain")
    assert response.text == POPULAR


def test_an_answer_leaves_a_receipt_that_says_the_same(ready):
    ready.client.get("/recommend/7", headers={"X-Marquee-Bucket": "042"})

    (receipt,) = ready.receipts.take(10)
    assert (receipt.user_id, receipt.bucket, receipt.model_version) == (7, 42, NAME)
    assert (receipt.movies + "\n", receipt.reason) == (POPULAR, "popular")


def test_an_answer_is_counted(ready):
    ready.client.get("/recommend/7")

    labels = {"model_version": NAME, "reason": "popular"}
    assert ready.figure("marquee_requests_total", status="200", **labels) == 1
    assert ready.figure("marquee_request_seconds_count", **labels) == 1


def test_a_replayed_request_is_answered_alike_counted_apart_and_leaves_no_receipt(ready):
    header = {"X-Marquee-Replayed": "1"}
    assert ready.client.get("/recommend/7", headers=header).text == POPULAR
    assert ready.client.get("/recommend/none", headers=header).status_code == 400

    assert ready.receipts.take(10) == []
    assert ready.figure("marquee_replayed_requests_total", status="200") == 1
    assert ready.figure("marquee_replayed_requests_total", status="400") == 1
    labels = {"model_version": NAME, "reason": "popular"}
    assert not ready.figure("marquee_requests_total", status="200", **labels)
    assert not ready.figure("marquee_request_seconds_count", **labels)
    assert not ready.figure("marquee_requests_total", status="400", model_version="", reason="none")


def test_a_slot_tells_the_last_lines_of_its_log(ready, monkeypatch):
    monkeypatch.setattr("recommender.app.recent_lines", lambda: ["one", "two"])
    assert ready.client.get("/log").text == "one\ntwo\n"


def test_the_hot_path_answers_without_flask(ready, monkeypatch):
    def never(*_arguments):
        raise AssertionError("Flask was asked")

    monkeypatch.setattr("recommender.app.Flask.full_dispatch_request", never)
    json_too = {"Accept": "application/json"}

    assert ready.client.get("/recommend/7?n=3").status_code == 200
    assert ready.client.get("/recommend/7", headers=json_too).status_code == 200
    assert ready.client.head("/recommend/7").status_code == 200


def test_as_json_an_answer_has_scores_reason_model_and_receipt(running, tmp_path):
    running.slot.model = publish(tmp_path, top={7: [30, 31]})
    response = running.client.get("/recommend/7?n=3", headers={"Accept": "application/json"})

    (receipt,) = running.receipts.take(10)
    assert response.json == {
        "user_id": 7,
        "movies": [
            {"movie_id": MOVIES[30], "score": 0.0},
            {"movie_id": MOVIES[31], "score": 0.0},
            {"movie_id": MOVIES[0], "score": None},
        ],
        "reason": "model",
        "model_version": NAME,
        "receipt_id": str(receipt.receipt_id),
    }


@pytest.mark.parametrize(
    ("accept", "mimetype"),
    [
        ("application/json", "application/json"),
        ("text/plain", "text/plain"),
        ("", "text/plain"),
    ],
)
def test_nginx_s_two_accept_values_are_the_two_forms(ready, accept, mimetype):
    response = ready.client.get("/recommend/7", headers={"Accept": accept})

    assert (response.status_code, response.mimetype) == (200, mimetype)


@pytest.mark.parametrize("count", [1, 19, 60])
def test_as_many_movies_come_as_are_asked_for(ready, count):
    assert ready.client.get(f"/recommend/7?n={count}").text.count("+1999") == count


@pytest.mark.parametrize("count", ["0", "101", "-1", "1.5", "", "x", "007", "%D9%A3"])
def test_a_number_of_movies_that_cannot_be_is_told_in_one_plain_line(ready, count):
    response = ready.client.get(f"/recommend/7?n={count}")

    assert (response.status_code, response.text.count("\n")) == (400, 1)


@pytest.mark.parametrize(
    "user", ["abc", "-1", "1.5", "0", "000", "9" * 19, "%00", "", "1/2", "%D9%A3", "7 "]
)
def test_what_is_no_user_id_is_told_in_one_plain_line(ready, user):
    response = ready.client.get(f"/recommend/{user}")

    assert (response.status_code, response.mimetype) == (400, "text/plain")
    assert response.text.count("\n") == 1
    assert len(ready.receipts) == 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/recommend/7", "/healthz", "/nothing"])
def test_only_get_and_head_are_answered(ready, method, path):
    response = ready.client.open(path, method=method)

    assert (response.status_code, response.mimetype) == (405, "text/plain")


@pytest.mark.parametrize("path", ["/recommend/7", "/recommend/7?n=3", "/healthz", "/readyz"])
def test_head_answers_as_get_without_a_body(ready, path):
    got, head = ready.client.get(path), ready.client.head(path)

    assert (head.status_code, head.data) == (got.status_code, b"")
    assert head.content_type == got.content_type
    assert head.content_length == got.content_length


def test_head_leaves_no_receipt(ready):
    ready.client.head("/recommend/7")

    assert len(ready.receipts) == 0


def test_an_unknown_path_is_told_in_one_plain_line(ready):
    response = ready.client.get("/nothing/here")

    assert (response.status_code, response.mimetype) == (404, "text/plain")
    assert response.text.count("\n") == 1


def test_an_error_is_told_without_its_trace(ready, monkeypatch):
    def fail(*_arguments):
        raise RuntimeError("secret")

    monkeypatch.setattr("recommender.answers.lines.filled_up", fail)
    response = ready.client.get("/recommend/7")

    assert (response.status_code, response.mimetype) == (500, "text/plain")
    assert "secret" not in response.text
    assert ready.figure("marquee_requests_total", model_version="", status="500", reason="none")


def test_without_a_model_there_is_no_answer_and_the_slot_is_not_ready(running):
    assert running.client.get("/recommend/7").status_code == 503
    assert running.client.get("/readyz").status_code == 503
    assert running.client.get("/healthz").status_code == 200


def test_readiness_says_which_model_answers(ready):
    ready.client.get("/recommend/7")

    assert json.loads(ready.client.get("/readyz").text) == {
        "slot": "blue",
        "model_version": NAME,
        "interleaved_with": None,
        "ready": True,
        "refused": None,
        "receipts_queued": 1,
    }


def test_only_people_in_its_buckets_get_lists_of_both_versions(ready, tmp_path):
    challenger = publish(tmp_path, "v2", movies=MOVIES[::-1])
    ready.slot.interleaving = Interleaving(challenger, frozenset({42}))
    for bucket in ("042", "043", ""):
        ready.client.get("/recommend/7", headers={"X-Marquee-Bucket": bucket})

    told = [(each.bucket, each.interleaved_with) for each in ready.receipts.take(10)]
    assert told == [(42, "v2"), (43, ""), (-1, "")]
    assert ready.client.get("/readyz").json["interleaved_with"] == "v2"


def test_metrics_are_in_the_text_format(ready):
    response = ready.client.get("/metrics")

    assert response.mimetype == "text/plain"
    assert "marquee_receipts_queued" in response.text


@pytest.mark.parametrize(("header", "bucket"), [("007", 7), ("", -1), ("7", -1), ("x07", -1)])
def test_a_bucket_is_three_digits_or_unknown(ready, header, bucket):
    ready.client.get("/recommend/7", headers={"X-Marquee-Bucket": header})

    assert ready.receipts.take(1)[0].bucket == bucket

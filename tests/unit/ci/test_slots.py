"""What a release reads of a slot, from the slot's own application and from broken ones."""

import httpx
import pytest

from ci.release.plan import Readiness
from ci.release.slots import readiness, traffic
from recommender.activity.recent import RecentActivity
from recommender.answers.answers import Answers
from recommender.answers.ranking import NO_FALLBACK
from recommender.app import create_app
from recommender.metrics import Metrics
from recommender.receipts.queue import ReceiptQueue
from recommender.slot import Slot
from tests.unit.recommender.versions import NAME, publish

URL = "http://slot"


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def slot(tmp_path, metrics):
    return Slot(tmp_path, tmp_path / "blue.json", metrics)


@pytest.fixture
def client(slot, metrics):
    receipts = ReceiptQueue(100, metrics)
    answers = Answers(RecentActivity(10), lambda _user: NO_FALLBACK, receipts, metrics)
    app = create_app("blue", slot, answers, lambda: len(receipts), metrics)
    transport = httpx.WSGITransport(app=app)
    with httpx.Client(transport=transport) as client:
        yield client


def saying(response: httpx.Response) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(lambda _request: response))


def test_a_slot_without_a_model_is_not_ready(client):
    assert readiness(client, URL).missing(NAME) == "it says it is not ready"


def test_a_slot_with_a_model_is_ready_with_it(client, slot, tmp_path):
    slot.model = publish(tmp_path)
    assert readiness(client, URL) == Readiness(ready=True, version=NAME)


def test_a_slot_that_refused_a_version_says_which(client, slot):
    slot.refused = NAME
    assert readiness(client, URL).missing(NAME) == (
        "it found the version damaged, unfit or newer than its code, its log says why"
    )


def test_its_answers_are_counted_and_those_without_a_model_are_errors(client, slot, tmp_path):
    client.get(f"{URL}/recommend/7")
    slot.model = publish(tmp_path)
    client.get(f"{URL}/recommend/7")
    client.get(f"{URL}/recommend/none")
    seen = traffic(client, URL)
    assert (seen.requests, seen.errors) == (3, 1)
    assert seen.p99_seconds() > 0


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(502, text="<html>"),
        httpx.Response(200, json={}),
        httpx.Response(200, json=[]),
        httpx.Response(200, content=b"\xff"),
    ],
)
def test_a_slot_that_talks_nonsense_is_not_ready(response):
    assert not readiness(saying(response), URL).ready


def test_a_slot_that_does_not_answer_is_not_ready_and_has_no_figures():
    with httpx.Client(timeout=0.2, trust_env=False) as client:
        assert readiness(client, "http://127.0.0.1:1").missing(NAME) == (
            "it does not answer (ConnectError)"
        )
        assert traffic(client, "http://127.0.0.1:1") is None


@pytest.mark.parametrize(
    "response", [httpx.Response(503, text=""), httpx.Response(200, text="<html>busy</html>")]
)
def test_figures_that_cannot_be_read_are_no_figures(response):
    assert traffic(saying(response), URL) is None

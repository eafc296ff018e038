"""From a slot that dies to Slack's channel, by the real Prometheus and Alertmanager."""

import json
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from queue import Empty, SimpleQueue

import pytest

from tests.integration.alerting import Quiet, alertmanager, prometheus, serving

SECONDS_TO_FIRE = 60
SLOTS = ("recommender-blue:8000", "recommender-green:8000")
SLOT_METRICS = b"marquee_requests_total 1\n"


class Slot(Quiet, BaseHTTPRequestHandler):
    """Answers /metrics as a slot does."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(SLOT_METRICS)


def slack_into(messages):
    """A handler that plays Slack's webhook and hands on what was posted."""

    class Slack(Quiet, BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")
            messages.put(json.loads(body))

    return Slack


@pytest.fixture
def slack():
    messages = SimpleQueue()
    with serving(slack_into(messages)) as port:
        yield f"http://127.0.0.1:{port}/services/T/B/X", messages


@pytest.fixture
def slots(tmp_path, slack):
    """The two slots, scraped by a Prometheus that tells our Slack.

    Call an entry to kill that slot.
    """
    address, _messages = slack
    with ExitStack() as stack:
        kill, addresses = {}, {}
        for name in SLOTS:
            slot = ExitStack()
            addresses[name] = f"127.0.0.1:{slot.enter_context(serving(Slot))}"
            kill[name] = stack.enter_context(slot).close
        sooner = {"group_interval: 1m": "group_interval: 5s"}
        told = stack.enter_context(alertmanager(tmp_path, {"slack": address}, sooner))
        stack.enter_context(prometheus(tmp_path, told.port, addresses))
        yield kill


def message_about(alert, messages):
    """The first message about an alert; those about services that are not there are passed over."""
    deadline = time.monotonic() + SECONDS_TO_FIRE
    while time.monotonic() < deadline:
        try:
            message = messages.get(timeout=1)
        except Empty:
            continue
        if alert in message["attachments"][0]["title"]:
            return message
    pytest.fail(f"Slack was never told of {alert}")


def test_a_slot_that_dies_is_told_in_slacks_channel_by_name(slack, slots):
    _address, messages = slack
    slots["recommender-green:8000"]()
    message = message_about("SlotDown", messages)
    text = message["attachments"][0]["text"]
    assert (message["channel"], "Slot green is down" in text, "blue is down" in text) == (
        "#alert",
        True,
        False,
    )

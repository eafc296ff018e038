"""Alerts reach #alert by Alertmanager's own Slack client; the receiver plays Slack."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.end_to_end.conftest import Stack
from tests.waiting import eventually

Message = dict[str, Any]


@pytest.fixture(scope="module")
def slack(stack: Stack) -> Iterator[list[Message]]:
    """What Alertmanager posted, in order, once its Slack address is this test's own."""
    messages: list[Message] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            messages.append(json.loads(self.rfile.read(length)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_arguments: object) -> None:
            """Keep the test's output to the test's."""

    gateway = os.environ["SUBNET_PREFIX"] + ".1"
    server = ThreadingHTTPServer((gateway, 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stack.compose(
        "run", "--rm", "--no-deps", "-T", "secrets", "set", "slack",
        given=f"http://{gateway}:{server.server_port}/slack",
    )  # fmt: skip
    yield messages
    server.shutdown()
    server.server_close()


def told(messages: list[Message], *words: str) -> bool:
    """Whether a message to #alert has all these words."""
    return any(
        message["channel"] == "#alert" and all(word in json.dumps(message) for word in words)
        for message in messages
    )


def test_a_slot_that_is_down_is_told_in_slack(stack, slack):
    stack.kill("recommender-green")
    try:
        eventually(lambda: told(slack, "SlotDown", "green"), 120, "SlotDown in #alert")
    finally:
        stack.start("recommender-green")


def test_an_audit_that_does_not_balance_is_told_in_slack(stack, slack):
    stack.sql_as_owner(
        "CREATE TABLE kept AS SELECT * FROM account ORDER BY log_offset LIMIT 1;"
        "DELETE FROM account WHERE (log_partition, log_offset)"
        " IN (SELECT log_partition, log_offset FROM kept)"
    )
    try:
        eventually(lambda: told(slack, "AuditUnbalanced"), 120, "AuditUnbalanced in #alert")
    finally:
        stack.sql_as_owner("INSERT INTO account SELECT * FROM kept; DROP TABLE kept")

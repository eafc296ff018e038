"""Whoever is told of alerts, played by the tests: Slack, and a dead man's switch."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Message = dict[str, Any]


@dataclass
class Receivers:
    """What was posted, in order."""

    slack: list[Message] = field(default_factory=list)
    watchdog: list[float] = field(default_factory=list)
    """When the Watchdog was heard, by the monotonic clock."""

    def told(self, *words: str) -> bool:
        """Whether a message to #alert has all these words."""
        return any(
            message["channel"] == "#alert" and all(word in json.dumps(message) for word in words)
            for message in self.slack
        )

    def silent_for(self) -> float:
        """How many seconds ago the Watchdog was last heard."""
        return time.monotonic() - self.watchdog[-1] if self.watchdog else float("inf")

    def take(self, path: str, message: Message) -> None:
        """Keep what was posted to one of the two addresses."""
        if path == "/slack":
            self.slack.append(message)
        else:
            self.watchdog.append(time.monotonic())


@contextmanager
def listening() -> Iterator[tuple[Receivers, str]]:
    """Receivers on the stack's gateway, which containers reach, and their address."""
    receivers = Receivers()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receivers.take(self.path, json.loads(body))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_arguments: object) -> None:
            """Keep the test's output to the test's."""

    gateway = os.environ["SUBNET_PREFIX"] + ".1"
    server = ThreadingHTTPServer((gateway, 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receivers, f"http://{gateway}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()

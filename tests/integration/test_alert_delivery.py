"""From a slot that dies to Slack's channel, by the real Prometheus and Alertmanager."""

import json
import subprocess
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

import pytest

from tests.ports import free_port

MONITORING = Path("monitoring")
SECONDS_TO_START = 30
SECONDS_TO_FIRE = 60
SLOTS = ("recommender-blue:8000", "recommender-green:8000")
SLOT_METRICS = b"marquee_requests_total 1\n"


class Server(ThreadingHTTPServer):
    """One that does not wait for connections on which nobody asks."""

    daemon_threads = True


@contextmanager
def serving(handler):
    """An HTTP server on the loopback; its port."""
    server = Server(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Slot(BaseHTTPRequestHandler):
    """Answers /metrics as a slot does."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(SLOT_METRICS)

    def log_message(self, *_arguments):
        """Say nothing: every scrape would be a line."""


def slack_into(messages):
    """A handler that plays Slack's webhook and hands on what was posted."""

    class Slack(Slot):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")
            messages.put(json.loads(body))

    return Slack


@contextmanager
def running(*command):
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


def wait_until_ready(port):
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1):
                return
        except OSError:
            assert time.monotonic() < deadline, f"nothing became ready on port {port}"
            time.sleep(0.1)


def configure(source, target, replacements):
    """Write the shipped file with only what must differ here replaced."""
    text = source.read_text()
    for shipped, here in replacements.items():
        assert shipped in text, f"{source} no longer holds {shipped!r}"
        text = text.replace(shipped, here)
    target.write_text(text)


@pytest.fixture
def slack():
    messages = SimpleQueue()
    with serving(slack_into(messages)) as port:
        yield port, messages


@pytest.fixture
def alertmanager(tmp_path, slack):
    """The port of an Alertmanager with the shipped configuration and our Slack."""
    slack_port, _messages = slack
    secret = tmp_path / "slack"
    secret.write_text(f"http://127.0.0.1:{slack_port}/services/T/B/X")
    config = tmp_path / "alertmanager.yml"
    replacements = {"/run/secrets/slack": str(secret), "group_interval: 1m": "group_interval: 5s"}
    configure(MONITORING / "alertmanager/alertmanager.yml", config, replacements)
    port = free_port()
    with running(
        "prometheus-alertmanager",
        f"--config.file={config}",
        f"--storage.path={tmp_path}/alertmanager",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ):
        wait_until_ready(port)
        yield port


@pytest.fixture
def slots(tmp_path, alertmanager):
    """The two slots, scraped by a Prometheus with the shipped configuration and rules.

    Call an entry to kill that slot.
    """
    with ExitStack() as stack:
        kill, addresses = {}, {}
        for name in SLOTS:
            slot = ExitStack()
            addresses[name] = f"127.0.0.1:{slot.enter_context(serving(Slot))}"
            kill[name] = stack.enter_context(slot).close
        rules = str((MONITORING / "prometheus/rules").resolve())
        replacements = {
            **addresses,
            "targets: [alertmanager:9093]": f"targets: ['127.0.0.1:{alertmanager}']",
            "rules/*.yml": f"{rules}/*.yml",
            "scrape_interval: 5s": "scrape_interval: 1s",
            "scrape_timeout: 5s": "scrape_timeout: 1s",
            "evaluation_interval: 5s": "evaluation_interval: 1s",
        }
        config = tmp_path / "prometheus.yml"
        configure(MONITORING / "prometheus/prometheus.yml", config, replacements)
        port = free_port()
        stack.enter_context(
            running(
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={tmp_path}/prometheus",
                f"--web.listen-address=127.0.0.1:{port}",
            )
        )
        wait_until_ready(port)
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
    _port, messages = slack
    slots["recommender-green:8000"]()
    message = message_about("SlotDown", messages)
    text = message["attachments"][0]["text"]
    assert (message["channel"], "Slot green is down" in text, "blue is down" in text) == (
        "#alert",
        True,
        False,
    )

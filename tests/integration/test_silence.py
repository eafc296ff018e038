"""What stands still: the Watchdog falls silent when what carries it does, and a frozen Nginx is
named itself. By the real Prometheus, Alertmanager and Nginx, each second where they ship slower.
"""

import os
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.integration.alerting import Quiet, alertmanager, prometheus, serving
from tests.integration.serving import nginx
from tests.ports import free_port
from tests.waiting import eventually

EACH_SECOND = {
    "group_interval: 30s": "group_interval: 1s",
    "repeat_interval: 30s": "repeat_interval: 1s",
}
SILENCE_SECONDS = 6
"""Longer than Alertmanager goes on for a Prometheus that is away: four of its seconds."""


@dataclass
class DeadMansSwitch:
    """Hears the Watchdog."""

    heard: list[float] = field(default_factory=list)

    def is_silent(self):
        return time.monotonic() - self.heard[-1] > SILENCE_SECONDS

    def hears_more_than(self, before):
        return len(self.heard) > before + 2


def heard_by(switch):
    """A handler that plays the switch's address."""

    class Address(Quiet, BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            switch.heard.append(time.monotonic())
            self.send_response(200)
            self.end_headers()

    return Address


@pytest.fixture
def switch():
    return DeadMansSwitch()


@pytest.fixture
def monitoring(tmp_path, switch):
    """Prometheus and Alertmanager, with the switch that hears them."""
    with (
        serving(heard_by(switch)) as port,
        alertmanager(tmp_path, {"watchdog": f"http://127.0.0.1:{port}/"}, EACH_SECOND) as told,
        prometheus(tmp_path, told.port, {}) as asks,
    ):
        eventually(lambda: switch.hears_more_than(0), 60, "the Watchdog")
        yield {"prometheus": asks, "alertmanager": told}


@pytest.mark.parametrize("service", ["prometheus", "alertmanager"])
def test_the_watchdog_falls_silent_when_what_carries_it_stops(switch, monitoring, service):
    monitoring[service].kill()
    eventually(switch.is_silent, 60, "silence")


@pytest.mark.parametrize("service", ["prometheus", "alertmanager"])
def test_the_watchdog_falls_silent_while_what_carries_it_is_frozen(switch, monitoring, service):
    monitoring[service].freeze()
    eventually(switch.is_silent, 60, "silence")
    before = len(switch.heard)
    monitoring[service].thaw()
    eventually(lambda: switch.hears_more_than(before), 60, "the Watchdog again")


@contextmanager
def frozen(process):
    """Nobody of this process and its children does anything in the block; connections are taken."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    everybody = [process.pid, *map(int, children)]
    for one in everybody:
        os.kill(one, signal.SIGSTOP)
    try:
        yield
    finally:
        for one in everybody:
            os.kill(one, signal.SIGCONT)


def test_a_frozen_nginx_is_named_and_not_its_exporter_which_waits_for_it(tmp_path):
    """The exporter is played by a port where nobody answers."""
    asked = free_port()
    (tmp_path / "state").mkdir()
    listens = {"listen 8084": f"listen 127.0.0.1:{asked}"}
    targets = {"nginx:8084": f"127.0.0.1:{asked}", "nginx-exporter:9113": "127.0.0.1:1"}
    with (
        nginx(tmp_path, tmp_path / "state", 1, 1, listens) as running,
        prometheus(tmp_path, 1, targets) as asks,
    ):
        eventually(lambda: asks.ask('up{service="nginx"} == 1'), 60, "Nginx, which answers")
        eventually(lambda: asks.ask(alert_of("nginx-exporter")), 60, "its exporter named")
        assert asks.ask(alert_of("nginx")) == []
        with frozen(running.process):
            eventually(lambda: asks.ask(alert_of("nginx")), 60, "Nginx named")
            eventually(lambda: not asks.ask(alert_of("nginx-exporter")), 60, "Nginx alone named")


def alert_of(service):
    """Due or firing."""
    return f'ALERTS{{alertname="ServiceDown", service="{service}"}}'

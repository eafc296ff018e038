"""The way of a test alert, by what Prometheus and Alertmanager are told to answer."""

import os
from datetime import UTC, datetime

import pytest

from monitoring.alerting import alert_test
from monitoring.alerting.alert_test import Stage, ask
from monitoring.errors import AlertTestError


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def run(monkeypatch, tmp_path, stages):
    clock = Clock()
    settings = type("Settings", (), {"alert_test_file": tmp_path / "asked"})
    monkeypatch.setattr(alert_test, "_taken", lambda _settings: 0)
    monkeypatch.setattr(alert_test, "stages", lambda *_: stages(clock))
    return alert_test.run(settings, clock, clock.sleep)


def test_each_stage_is_told_when_it_is_done(monkeypatch, tmp_path):
    def stages(clock):
        return [
            Stage("fires", 60, lambda: clock.now >= 12, "log"),
            Stage("arrived", 60, lambda: clock.now >= 15, "log"),
        ]

    assert list(run(monkeypatch, tmp_path, stages))[1:] == ["12.0 s  fires", "15.0 s  arrived"]


def test_a_stage_that_is_not_reached_is_named_with_what_to_look_at(monkeypatch, tmp_path):
    def stages(_clock):
        return [Stage("fires", 60, lambda: False, "the log of prometheus")]

    with pytest.raises(AlertTestError, match="60 s: fires; see the log of prometheus"):
        list(run(monkeypatch, tmp_path, stages))


def test_asking_again_asks_anew(tmp_path):
    file = tmp_path / "asked"
    file.touch()
    os.utime(file, (0, 0))
    assert ask(file) > datetime(2026, 1, 1, tzinfo=UTC)

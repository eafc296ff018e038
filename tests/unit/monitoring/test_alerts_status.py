"""What `make status` says of alerts."""

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.apis import Alert
from monitoring.status.alerts import alert_facts, alerts

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def alert(name, severity, minutes=5):
    return Alert(name, severity, f"{name} it is.", NOW - timedelta(minutes=minutes))


WATCHDOG = alert("Watchdog", "none")


def told(found):
    return [(fact.name, fact.text, fact.well) for fact in alerts(found, NOW)]


def test_when_nothing_fires_that_is_said():
    assert told([WATCHDOG]) == [("alerts", "none fires", True)]


@pytest.mark.parametrize("severity", ["critical", "warning"])
def test_what_fires_is_not_well(severity):
    assert told([WATCHDOG, alert("SlotDown", severity)]) == [
        ("SlotDown", "fires since 5 min ago: SlotDown it is.", False)
    ]


def test_what_is_not_set_up_is_said_and_no_fault():
    assert told([WATCHDOG, alert("SlackNotSet", "setup")]) == [
        ("alerts", "none fires", True),
        ("not set up", "SlackNotSet it is.", True),
    ]


def test_a_prometheus_that_evaluates_nothing_is_not_well():
    assert [well for _name, _text, well in told([])] == [False, True]


def test_a_prometheus_that_does_not_answer_takes_one_line():
    (fact,) = alert_facts("http://127.0.0.1:1", NOW)
    assert (fact.name, fact.text.startswith("unknown: http://127.0.0.1:1")) == ("alerts", True)

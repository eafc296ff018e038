import re

import pytest

from monitoring.apis import AlertingRule
from monitoring.page.meanings import in_words, meaning
from tests.unit.monitoring.rules import ALERTS

SLOW = "Slot {{ $labels.slot }} fails {{ $value | humanizePercentage }} of its requests."
GREEN = {"alertname": "HighErrorRate", "severity": "critical", "slot": "green"}
SAID = "Slot green fails 40% of its requests."
RULES = [AlertingRule("HighErrorRate", SLOW, [(GREEN, SAID)])]


def recorded(labels):
    """Labels as those of the series ALERTS."""
    return {"__name__": "ALERTS", "alertstate": "firing"} | labels


def test_an_alert_that_fires_says_what_prometheus_says():
    assert meaning(RULES, recorded(GREEN), still=True) == SAID


def test_of_one_that_fires_no_more_the_labels_are_known_and_the_value_is_not():
    assert meaning(RULES, recorded(GREEN), still=False) == "Slot green fails … of its requests."


def test_another_alert_of_the_same_rule_is_not_meant():
    blue = GREEN | {"slot": "blue"}
    assert meaning(RULES, recorded(blue), still=True) == "Slot blue fails … of its requests."


def test_of_a_rule_that_is_gone_nothing_is_known():
    assert meaning([], recorded(GREEN), still=True) == ""


def test_what_stands_in_a_label_is_not_filled_in_again():
    hostile = {"slot": "{{ $labels.name }}{{ $value }}", "name": "secret"}
    assert in_words("Slot {{ $labels.slot }}.", hostile) == ("Slot {{ $labels.name }}{{ $value }}.")


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_summary_is_a_sentence_without_what_only_prometheus_reads(rule):
    told = in_words(rule["annotations"]["summary"], {})
    assert re.fullmatch(r"[^{}$]+[.]", told)

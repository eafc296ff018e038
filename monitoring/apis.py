"""The few questions that are asked of Prometheus and Alertmanager over HTTP."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from monitoring.errors import UnansweredError

PATIENCE_SECONDS = 2.0
Labels = Mapping[str, str]
REQUESTS = "alertmanager_notification_requests_total"
FAILURES = "alertmanager_notification_requests_failed_total"


@dataclass(frozen=True)
class Alert:
    """An alert that fires."""

    name: str
    severity: str
    summary: str
    since: datetime


@dataclass(frozen=True)
class AlertingRule:
    """A rule that alerts: what it says, and what it says now."""

    name: str
    summary: str
    """In Prometheus's template language: labels and values are not filled in."""
    firing: Sequence[tuple[Labels, str]]
    """The labels of each alert that it fires, and the whole summary of that."""


def firing(prometheus_url: str) -> list[Alert]:
    """The alerts that Prometheus fires now.

    Raises:
        UnansweredError: it does not answer.
    """
    url = f"{prometheus_url}/api/v1/alerts"
    with _as_promised(url):
        answer = json.loads(_get(url))
        return [
            _alert(alert["labels"], alert["annotations"], alert["activeAt"])
            for alert in answer["data"]["alerts"]
            if alert["state"] == "firing"
        ]


def alerting_rules(prometheus_url: str) -> list[AlertingRule]:
    """The rules by which Prometheus alerts.

    Raises:
        UnansweredError: it does not answer.
    """
    url = f"{prometheus_url}/api/v1/rules?type=alert"
    with _as_promised(url):
        groups = json.loads(_get(url))["data"]["groups"]
        return [_alerting_rule(rule) for group in groups for rule in group["rules"]]


def _alerting_rule(rule: dict[str, Any]) -> AlertingRule:
    firing = [alert for alert in rule["alerts"] if alert["state"] == "firing"]
    said = [(alert["labels"], alert["annotations"].get("summary", "")) for alert in firing]
    return AlertingRule(rule["name"], rule["annotations"].get("summary", ""), said)


def handed_on(alertmanager_url: str) -> list[Alert]:
    """The alerts that Alertmanager has.

    Raises:
        UnansweredError: it does not answer.
    """
    url = f"{alertmanager_url}/api/v2/alerts"
    with _as_promised(url):
        answer = json.loads(_get(url))
        return [
            _alert(alert["labels"], alert["annotations"], alert["startsAt"]) for alert in answer
        ]


def _alert(labels: Labels, annotations: Labels, since: str) -> Alert:
    return Alert(
        labels["alertname"],
        labels.get("severity", ""),
        annotations.get("summary", ""),
        datetime.fromisoformat(since),
    )


def delivered(alertmanager_url: str, receiver: str) -> tuple[float, float]:
    """How often a receiver was posted to, and how often of these it did not take the message.

    Raises:
        UnansweredError: Alertmanager does not answer.
    """
    url = f"{alertmanager_url}/metrics"
    counts = {REQUESTS: 0.0, FAILURES: 0.0}
    with _as_promised(url):
        for family in text_string_to_metric_families(_get(url)):
            for sample in family.samples:
                if sample.name in counts and sample.labels.get("receiver_name") == receiver:
                    counts[sample.name] += sample.value
    return counts[REQUESTS], counts[FAILURES]


def value(prometheus_url: str, expression: str) -> float | None:
    """What an expression with one result is now; None where it has none.

    Raises:
        UnansweredError: Prometheus does not answer.
    """
    found = values(prometheus_url, expression)
    return found[0][1] if found else None


def values(prometheus_url: str, expression: str) -> list[tuple[Labels, float]]:
    """What each result of an expression is now, by its labels.

    Raises:
        UnansweredError: Prometheus does not answer.
    """
    with _as_promised(prometheus_url):
        results = _results(prometheus_url, "query", query=expression)
        return [(result["metric"], float(result["value"][1])) for result in results]


def series(
    prometheus_url: str, expression: str, start: float, end: float, step: float
) -> list[tuple[Labels, list[tuple[float, float]]]]:
    """What each result of an expression was from `start` to `end`, each `step`, by its labels.

    Times are seconds since 1970, UTC; a point is a time and a value.

    Raises:
        UnansweredError: Prometheus does not answer.
    """
    with _as_promised(prometheus_url):
        results = _results(
            prometheus_url, "query_range", query=expression, start=start, end=end, step=step
        )
        return [
            (result["metric"], [(at, float(number)) for at, number in result["values"]])
            for result in results
        ]


def _results(prometheus_url: str, way: str, **arguments: object) -> list[dict[str, Any]]:
    asked = urllib.parse.urlencode(arguments)
    answer = json.loads(_get(f"{prometheus_url}/api/v1/{way}?{asked}"))
    results: list[dict[str, Any]] = answer["data"]["result"]
    return results


@contextmanager
def _as_promised(url: str) -> Iterator[None]:
    """Take an answer that cannot be read, as the page of a proxy, for none."""
    try:
        yield
    except (ValueError, LookupError, TypeError) as error:
        raise UnansweredError(url, f"what came is not its answer ({error})") from error


def _get(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 -- an operator's setting
            page: bytes = answer.read()
    except (OSError, HTTPException) as error:
        raise UnansweredError(url, error) from error
    return page.decode()

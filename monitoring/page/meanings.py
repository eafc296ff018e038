"""What an alert means, in the words of the rule that it fires by."""

import re
from collections.abc import Sequence

from monitoring.apis import AlertingRule, Labels

LABEL = re.compile(r"\{\{\s*\$labels\.(\w+)\s*\}\}")
VALUE = re.compile(r"\{\{\s*\$value\b[^}]*\}\}")
NOT_KEPT = "…"
NOT_OF_THE_ALERT = frozenset({"__name__", "alertstate"})
"""Labels that Prometheus adds where it writes down that an alert fires."""


def meaning(rules: Sequence[AlertingRule], labels: Labels, *, still: bool) -> str:
    """What the alert with these labels says, or of one that fires no more, what it said.

    `labels`: as the series `ALERTS` has them. Empty where there is no such rule any more.
    """
    own = {name: value for name, value in labels.items() if name not in NOT_OF_THE_ALERT}
    for rule in rules:
        if rule.name == own["alertname"]:
            said = [summary for firing, summary in rule.firing if still and firing == own]
            return said[0] if said else in_words(rule.summary, own)
    return ""


def in_words(template: str, labels: Labels) -> str:
    """An annotation with its labels filled in, and a gap where its value stood: nobody keeps that.

    A label that is not among them stands by its name.

    >>> in_words("{{ $labels.service }} has started {{ $value }} times.", {"service": "kafka"})
    'kafka has started … times.'
    >>> in_words("See `docker compose logs {{ $labels.service }}`.", {})
    'See `docker compose logs <service>`.'
    """
    return LABEL.sub(lambda at: labels.get(at[1], f"<{at[1]}>"), VALUE.sub(NOT_KEPT, template))

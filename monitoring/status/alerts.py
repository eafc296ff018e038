"""What fires, and how many lists no slot gave, as sentences for a person."""

from collections.abc import Iterator
from datetime import datetime

from monitoring.apis import Alert, firing, value
from monitoring.errors import UnansweredError
from monitoring.status.overview import Fact, ago

ALWAYS_FIRING = "Watchdog"
GRAVE = {"critical", "warning"}
OWN_LISTS = "sum(increase(marquee_nginx_own_lists_total[5m]))"
OWN_SHARE = "marquee_own_list_share >= 0 or vector(0)"
"""0 where nothing was answered: there the share is no number."""
LIVE_THEN = "count(marquee_live_version offset 5m)"
"""Nothing before the first release, when nobody but Nginx could give a list."""
TOLERATED_SHARE = 0.01
"""Above it, the alert ListsByNginx fires."""


def alert_facts(prometheus_url: str, now: datetime) -> list[Fact]:
    """What Prometheus knows; of one that does not answer, one line that says so."""
    try:
        return [*alerts(firing(prometheus_url), now), own_lists(prometheus_url)]
    except UnansweredError as error:
        return [Fact("alerts", f"unknown: {error}")]


def alerts(found: list[Alert], now: datetime) -> Iterator[Fact]:
    """Each alert that fires; what is not set up yet is told, too, but is no fault."""
    if ALWAYS_FIRING not in {alert.name for alert in found}:
        yield Fact("alerts", f"no rules are evaluated: {ALWAYS_FIRING} does not fire", well=False)
    grave = [alert for alert in found if alert.severity in GRAVE]
    if not grave:
        yield Fact("alerts", "none fires")
    for alert in grave:
        yield Fact(alert.name, f"fires since {ago(alert.since, now)}: {alert.summary}", well=False)
    for alert in found:
        if alert.severity == "setup":
            yield Fact("not set up", alert.summary)


def own_lists(prometheus_url: str) -> Fact:
    """How many lists of the last five minutes were Nginx's own, as no slot gave one in time."""
    count, share = value(prometheus_url, OWN_LISTS), value(prometheus_url, OWN_SHARE)
    if count is None or share is None:
        return Fact("lists by Nginx", "unknown: nobody counts them yet")
    words = f"{count:,.0f} in five minutes, {share:.1%} of all"
    expected = value(prometheus_url, LIVE_THEN) is None  # nobody else could answer
    return Fact("lists by Nginx", words, expected or share <= TOLERATED_SHARE)

"""What the database and the settings know that no other service exports, for alerts.

It is read when Prometheus asks, so no figure is older than its scrape, and one that cannot be
read is absent: a figure at 0 would say that all is well.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import psycopg
import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitoring.settings import Settings

LOG = structlog.get_logger()

SQL = files("monitoring.alerting")
WORKERS = {
    "retain": "retention",
    "train": "trainer",
    "evaluate": "evaluation",
    "release": "releaser",
}
"""The service that works on each queue of jobs; another queue's service has its name."""
PROFILES = {"grafana": "grafana", "jenkins": "jenkins", "helper": "jenkins"}
"""Which services start only where the settings name their profile."""
PATIENCE = "-c statement_timeout=2s"
"""Prometheus waits 10 s for the whole answer."""


@dataclass(frozen=True)
class DatabaseFacts:
    """What is read from the database at a scrape."""

    job_failures: list[tuple[str, str, int]]
    """Task, queue, and how often it has failed since it last ended well."""
    aborted_release: tuple[str, float] | None
    """Version, and when in seconds since 1970."""
    last_backup: float
    """When the last backup ended, in seconds since 1970; 0 where there was none."""


class AlertingCollector(Collector):
    """Reads everything anew at each scrape."""

    def __init__(self, settings: Settings) -> None:
        """Know where to read; nothing is read yet."""
        self._settings = settings

    def collect(self) -> Iterator[Metric]:
        """Yield what can be read."""
        yield services_wanted(self._settings.compose_profiles, self._settings.simulator)
        yield from secrets_set(self._settings.given_file)
        yield alert_test(self._settings.alert_test_file)
        yield from self._of_database()

    def _of_database(self) -> Iterator[Metric]:
        try:
            facts = read_facts(self._settings.conninfo())
        except psycopg.Error as error:
            LOG.warning("database not read", error=str(error))
            yield database_answers(yes=False)
            return
        yield database_answers(yes=True)
        yield from database_metrics(facts)


def read_facts(conninfo: str) -> DatabaseFacts:
    """Read what alerts need of the database.

    Raises:
        psycopg.Error: it cannot be read within two seconds each for connecting and a query.
    """
    with psycopg.connect(conninfo, autocommit=True, connect_timeout=2, options=PATIENCE) as at:
        failures = at.execute(_sql("job_failures.sql")).fetchall()
        aborted = at.execute(_sql("aborted_release.sql")).fetchone()
        (backup,) = at.execute("SELECT extract(epoch FROM max(ended_at)) FROM backup").fetchall()[0]
    return DatabaseFacts(failures, aborted, float(backup or 0))


def _sql(name: str) -> bytes:
    return SQL.joinpath(name).read_bytes()


def database_answers(*, yes: bool) -> Metric:
    """Whether a new session gets answers: one that is kept waits for a frozen server for ever."""
    return GaugeMetricFamily(
        "marquee_database_answers",
        "1 where PostgreSQL answered somebody who came anew, 0 where it did not within 2 s",
        value=float(yes),
    )


def database_metrics(facts: DatabaseFacts) -> Iterator[Metric]:
    """What the database knows, as Prometheus reads it."""
    failures = GaugeMetricFamily(
        "marquee_job_failures",
        "How often a job has failed since it last ended well",
        labels=["task", "worker"],
    )
    for task, queue, count in facts.job_failures:
        failures.add_metric([task, WORKERS.get(queue, queue)], count)
    yield failures
    aborted = GaugeMetricFamily(
        "marquee_release_aborted_timestamp_seconds",
        "When the last release was aborted; absent when the last one ended well",
        labels=["model_version"],
    )
    if facts.aborted_release:
        version, at = facts.aborted_release
        aborted.add_metric([version], at)
    yield aborted
    yield GaugeMetricFamily(
        "marquee_backup_last_timestamp_seconds",
        "When the last backup ended; 0 where there was none",
        value=facts.last_backup,
    )


def services_wanted(profiles: str, simulator: str) -> Metric:
    """Which of the services that may be left out the settings ask for."""
    chosen = profiles.split(",")
    wanted = {name: profile in chosen for name, profile in PROFILES.items()}
    wanted["simulator"] = simulator == "on"
    return _yes_or_no(
        "marquee_service_wanted",
        "1 where the settings ask for a service",
        "name",
        wanted.items(),
    )


def secrets_set(given_file: Path) -> Iterator[Metric]:
    """Which of the addresses that a person has to give were given."""
    try:
        given: Mapping[str, bool] = json.loads(given_file.read_text())
    except OSError as error:
        LOG.warning("not read which addresses were given", error=str(error))
        return
    yield _yes_or_no(
        "marquee_secret_set", "1 where a person has set an address", "name", given.items()
    )


def alert_test(file: Path) -> Metric:
    """When somebody last asked for a test of the alerts' way; 0 where nobody has."""
    asked = file.stat().st_mtime if file.exists() else 0
    return GaugeMetricFamily(
        "marquee_alert_test_timestamp_seconds", "When an alert was last asked for", value=asked
    )


def _yes_or_no(name: str, what: str, label: str, values: Iterable[tuple[str, bool]]) -> Metric:
    family = GaugeMetricFamily(name, what, labels=[label])
    for value, yes in values:
        family.add_metric([value], float(yes))
    return family

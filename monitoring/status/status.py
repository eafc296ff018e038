"""The state of everything as one table: the services, then what the database knows."""

import os
import urllib.request
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import psycopg
from prometheus_client.parser import text_string_to_metric_families
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from monitoring.status.containers import Service
from monitoring.status.overview import Fact, ago, overview

LAG = "marquee_ingest_lag_records"
BACKUP = (
    "marquee_backup_newest_timestamp_seconds",
    "marquee_backup_newest_bytes",
    "marquee_next_run_timestamp_seconds",
)
BACKUP_OVERDUE = timedelta(hours=2)
"""As BackupTooOld has it."""
PLAIN_WIDTH = 120


def ingest_lag(metrics_url: str) -> Fact:
    """How many records of the stream ingest has still to read, as it says itself."""
    try:
        lags = _samples(metrics_url, LAG)
    except OSError as error:
        return Fact("ingest lag", f"unknown: {metrics_url} did not answer ({error})")
    return Fact("ingest lag", f"{sum(lags):,.0f} records" if lags else "unknown yet")


def last_backup(metrics_url: str, now: datetime) -> Fact:
    """How old and how large the newest whole backup is; where none comes, that is not well."""
    try:
        taken, size, due = (sum(_samples(metrics_url, name)) for name in BACKUP)
    except OSError as error:
        return Fact("last backup", f"unknown: {metrics_url} did not answer ({error})", well=False)
    if not taken:
        return Fact("last backup", "none yet: make backup")
    moment = datetime.fromtimestamp(taken, UTC)
    overdue = bool(due) and now - datetime.fromtimestamp(due, UTC) > BACKUP_OVERDUE
    return Fact("last backup", f"{ago(moment, now)}, {size / 2**20:,.0f} MiB", well=not overdue)


def _samples(metrics_url: str, name: str) -> list[float]:
    with urllib.request.urlopen(metrics_url, timeout=1) as answer:  # noqa: S310 -- an operator's setting
        page = answer.read().decode()
    return [
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == name
    ]


def database_facts(conninfo: str, now: datetime) -> list[Fact]:
    """What the database knows; of one that cannot be read, one line that says so."""
    try:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            return list(overview(connection, now))
    except psycopg.Error as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        return [Fact("database", f"cannot be read: {reason}", well=False)]


def table(services: Iterable[Service], facts: Iterable[Fact]) -> Table:
    """One row each; what is not as it should be is marked."""
    result = Table("", "what", "how it is", box=box.SIMPLE_HEAD)
    for service in services:
        _add(result, service.name, service.state, well=service.well)
    result.add_section()
    for fact in facts:
        _add(result, fact.name, fact.text, well=fact.well)
    return result


def _add(result: Table, name: str, text: str, *, well: bool) -> None:
    style = None if well else "bold red"
    result.add_row("" if well else "!", name, escape(text), style=style)


def console(environment: Mapping[str, str] = os.environ) -> Console:
    """The terminal; where there is none, plain text.

    As wide as COLUMNS says, which is how wide a terminal elsewhere is; without it, plain text is
    wide enough not to break its lines.
    """
    found = Console(highlight=False)
    if found.is_terminal or "COLUMNS" in environment:
        return found
    return Console(highlight=False, width=PLAIN_WIDTH)

"""What the database says of the system's state, as sentences for a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

import psycopg
from psycopg import sql
from psycopg.rows import class_row

SQL = files("monitoring.status")
RELATIONS = [
    "viewing",
    "movie",
    "app_user",
    "stream_offset",
    "ingest_audit",
    "receipt",
    "model_version",
    "deployment",
    "experiment",
    "online_metric",
]
"""What is counted beside the tables that lines land in."""
COUNTED_BYTES = 32 << 20
"""A larger relation is not counted: its size as last analysed must do."""


@dataclass(frozen=True)
class Fact:
    """Something worth knowing, and whether it is as it should be."""

    name: str
    text: str
    well: bool = True


@dataclass(frozen=True)
class Step:
    """The last step of the last release, and what is live after it."""

    action: str
    step: str
    version: str
    reason: str
    at: datetime
    live_version: str | None
    live_slot: str | None
    live_share: int
    live_since: datetime
    live_reason: str | None
    """None while the first release is on its way."""


def overview(connection: psycopg.Connection, now: datetime) -> Iterator[Fact]:
    """What is live, what came in, how much is there, and what was last checked."""
    step = last_step(connection)
    yield live_model(step, now)
    yield last_release(step, now)
    yield from training_data(connection)
    yield last_commit(connection, now)
    yield from row_counts(connection)
    yield last_audit(connection, now)
    yield from judgement(connection, now)


def last_step(connection: psycopg.Connection) -> Step | None:
    """The last step that was taken; None before the first release."""
    with connection.cursor(row_factory=class_row(Step)) as cursor:
        return cursor.execute(SQL.joinpath("last_step.sql").read_bytes()).fetchone()


def live_model(step: Step | None, now: datetime) -> Fact:
    """The live version with its slot and its share of the users."""
    if step is None or step.live_version is None:
        return Fact("live model", "none yet")
    return Fact(
        "live model",
        f"{step.live_version} in slot {step.live_slot} for {step.live_share:,} of 1,000 buckets,"
        f" since {ago(step.live_since, now)}",
    )


def last_release(step: Step | None, now: datetime) -> Fact:
    """What was last released or rolled back, and how far that came."""
    if step is None:
        return Fact("last release", "none yet")
    return Fact(
        "last release",
        f"{step.action} of {step.version}: {step.step} {ago(step.at, now)}, {step.reason}",
    )


def training_data(connection: psycopg.Connection) -> Iterator[Fact]:
    """What the newest version's data report says is odd with its data, such as its scale."""
    for (note,) in connection.execute(
        "SELECT jsonb_array_elements_text(manifest #> '{data,report,notes}') FROM model_version"
        " WHERE created_at = (SELECT max(created_at) FROM model_version)"
    ).fetchall():
        yield Fact("training data", note)


def last_commit(connection: psycopg.Connection, now: datetime) -> Fact:
    """When ingest last landed a batch."""
    landed = _value(connection, "SELECT max(updated_at) FROM stream_offset")
    return Fact("last batch", f"landed {ago(landed, now)}" if landed else "none landed yet")


def row_counts(connection: psycopg.Connection) -> Iterator[Fact]:
    """How many rows each relation has; `about` where counting would take long."""
    landed = connection.execute(SQL.joinpath("line_tables.sql").read_bytes()).fetchall()
    relations = [*(name for (name,) in landed), *RELATIONS]
    query = SQL.joinpath("relations.sql").read_bytes()
    for name, size, tuples in connection.execute(query, {"relations": relations}).fetchall():
        large = size > COUNTED_BYTES
        yield Fact(name, f"about {tuples:,} rows" if large else _counted(connection, name))


def _counted(connection: psycopg.Connection, relation: str) -> str:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(relation))
    (rows,) = connection.execute(query).fetchall()[0]
    return f"{rows:,} rows"


def last_audit(connection: psycopg.Connection, now: datetime) -> Fact:
    """Whether at the last audit every consumed offset was accounted for."""
    row = connection.execute(
        "SELECT audited_at, bool_and(balanced), sum(consumed) FROM ingest_audit"
        " WHERE audited_at = (SELECT max(audited_at) FROM ingest_audit) GROUP BY 1"
    ).fetchone()
    if row is None:
        return Fact("last audit", "none yet")
    at, balanced, consumed = row
    verdict = "balanced" if balanced else "NOT balanced: run `make psql`, look at ingest_audit"
    return Fact("last audit", f"{verdict}, {consumed:,} lines, {ago(at, now)}", balanced)


def judgement(connection: psycopg.Connection, now: datetime) -> Iterator[Fact]:
    """Up to where answers are judged, and the hit rate of the last window judged."""
    watermark = _value(connection, "SELECT judged_until FROM evaluation_progress")
    yield Fact("answers judged", f"up to {ago(watermark, now)}" if watermark else "none yet")
    for version, arm, value, samples in connection.execute(
        "SELECT model_version, arm, value, samples FROM online_metric WHERE metric = 'hit_rate'"
        " AND reason = 'all' AND segment = 'all'"
        " AND window_start = (SELECT max(window_start) FROM online_metric) ORDER BY 1, 2"
    ).fetchall():
        yield Fact("hit rate", f"{value:.1%} of {samples:,} answers by {version} ({arm})")


def ago(time: datetime, now: datetime) -> str:
    """How long before `now`, in the largest unit that gives at least two.

    >>> ago(datetime(2025, 1, 1, 12), datetime(2025, 1, 1, 12, 5))
    '5 min ago'
    """
    seconds = max(0, int((now - time).total_seconds()))
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"


def _value(connection: psycopg.Connection, query: str) -> datetime | None:
    (row,) = connection.execute(query.encode()).fetchall() or [(None,)]
    value: datetime | None = row[0]
    return value

"""What ingest and retention tell Prometheus, each from a registry of its own."""

from prometheus_client import Counter, Gauge, Histogram

from compose.service.due import next_run_gauge
from compose.service.metrics import process_registry
from ingest.lines.grammar import Reason

INGEST, RETENTION = process_registry(), process_registry()

LAG_RECORDS = Gauge(
    "marquee_ingest_lag_records",
    "Records of the topic that can be read and have not landed yet",
    ["partition"],
    registry=INGEST,
)
UNCOMMITTED_RECORDS = Gauge(
    "marquee_ingest_uncommitted_records",
    "Records that nobody can read yet: their transaction, or one before them, is still open",
    ["partition"],
    registry=INGEST,
)
FAILED_ATTEMPTS = Gauge(
    "marquee_ingest_failed_attempts",
    "Attempts in a row at reading the stream or writing its rows that failed; 0: it goes on",
    registry=INGEST,
)
CLOCK_BEHIND = Gauge(
    "marquee_ingest_clock_behind_seconds",
    "How much later the newest lines were published than it was here when they were read",
    registry=INGEST,
)
LAG_SECONDS = Gauge(
    "marquee_ingest_lag_seconds",
    "Age of the record that landed last; 0 when none waits",
    registry=INGEST,
)
ROWS = Counter("marquee_ingest_rows", "Rows landed", ["table"], registry=INGEST)
REJECTS = Counter("marquee_ingest_rejects", "Lines refused", ["reason"], registry=INGEST)
DUPLICATES = Counter(
    "marquee_ingest_duplicates",
    "Lines dropped because the stream held the same line before",
    registry=INGEST,
)
BATCH_LINES = Histogram(
    "marquee_ingest_batch_lines",
    "Lines in a batch that landed",
    buckets=(1, 10, 100, 1_000, 5_000, 10_000, 20_000),
    registry=INGEST,
)
BATCH_SECONDS = Histogram(
    "marquee_ingest_batch_seconds",
    "Time to land a batch that was read and parsed before: copy, commit",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=INGEST,
)
LAST_COMMIT = Gauge(
    "marquee_ingest_last_commit_timestamp_seconds",
    "When a batch landed last, seconds since 1970",
    registry=INGEST,
)
AUDIT_BALANCED = Gauge(
    "marquee_ingest_audit_balanced",
    "1 where the last audit of this scope found each consumed line once, else 0",
    ["partition", "scope"],
    registry=RETENTION,
)
DROPPED_PARTITIONS = Counter(
    "marquee_retention_dropped_partitions", "Partitions dropped", ["table"], registry=RETENTION
)
OVERDUE_PARTITIONS = Gauge(
    "marquee_retention_overdue_partitions",
    "Partitions past their time to live when the last pass began to drop",
    ["table"],
    registry=RETENTION,
)
LAST_RETENTION_PASS = Gauge(
    "marquee_retention_last_pass_timestamp_seconds",
    "When retention was through with its last pass, seconds since 1970",
    registry=RETENTION,
)
NEXT_RUN = next_run_gauge(RETENTION)
STUCK_LEASE = Gauge(
    "marquee_retention_lease_stuck",
    "1 where a lease holds rows for longer than its bound, else 0",
    ["owner"],
    registry=RETENTION,
)
OVER_BUDGET = Gauge(
    "marquee_retention_over_budget_bytes",
    "By how much what must stay is larger than the disk budget",
    registry=RETENTION,
)


def show_all_reasons() -> None:
    """Start each reason at 0, so that its first line is an increase, and none is a line at 0."""
    for reason in Reason:
        REJECTS.labels(reason)

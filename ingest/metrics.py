"""What ingest and retention tell Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

LAG_RECORDS = Gauge(
    "marquee_ingest_lag_records",
    "Records of the topic that can be read and have not landed yet",
    ["partition"],
)
UNCOMMITTED_RECORDS = Gauge(
    "marquee_ingest_uncommitted_records",
    "Records that nobody can read yet: their transaction, or one before them, is still open",
    ["partition"],
)
LAG_SECONDS = Gauge(
    "marquee_ingest_lag_seconds",
    "Age of the record that landed last; 0 when none waits",
)
ROWS = Counter("marquee_ingest_rows", "Rows landed", ["table"])
REJECTS = Counter("marquee_ingest_rejects", "Lines refused", ["reason"])
DUPLICATES = Counter(
    "marquee_ingest_duplicates", "Lines dropped because the stream held the same line before"
)
BATCH_LINES = Histogram(
    "marquee_ingest_batch_lines",
    "Lines in a batch that landed",
    buckets=(1, 10, 100, 1_000, 5_000, 10_000, 20_000),
)
BATCH_SECONDS = Histogram(
    "marquee_ingest_batch_seconds",
    "Time to land a batch that was read and parsed before: copy, commit",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
LAST_COMMIT = Gauge(
    "marquee_ingest_last_commit_timestamp_seconds",
    "When a batch landed last, seconds since 1970",
)
AUDIT_BALANCED = Gauge(
    "marquee_ingest_audit_balanced",
    "1 where the last audit of this scope found each consumed line once, else 0",
    ["partition", "scope"],
)
DROPPED_PARTITIONS = Counter(
    "marquee_retention_dropped_partitions",
    "Partitions dropped",
    ["table"],
)
OVERDUE_PARTITIONS = Gauge(
    "marquee_retention_overdue_partitions",
    "Partitions past their time to live when the last pass began to drop",
    ["table"],
)
LAST_RETENTION_PASS = Gauge(
    "marquee_retention_last_pass_timestamp_seconds",
    "When retention was through with its last pass, seconds since 1970",
)
STUCK_LEASE = Gauge(
    "marquee_retention_lease_stuck",
    "1 where a lease holds rows for longer than its bound, else 0",
    ["owner"],
)
OVER_BUDGET = Gauge(
    "marquee_retention_over_budget_bytes",
    "By how much what must stay is larger than the disk budget",
)

"""What ingest and retention tell Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

LAG_RECORDS = Gauge(
    "marquee_ingest_lag_records",
    "Records of the topic that have not landed yet",
    ["partition"],
)
LAG_SECONDS = Gauge(
    "marquee_ingest_lag_seconds",
    "Age of the record that landed last; 0 when none waits",
)
ROWS = Counter("marquee_ingest_rows", "Rows landed", ["table"])
REJECTS = Counter("marquee_ingest_rejects", "Lines refused", ["reason"])
BATCH_SECONDS = Histogram(
    "marquee_ingest_batch_seconds",
    "Time to land a batch: parse, copy, commit",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
LAST_COMMIT = Gauge(
    "marquee_ingest_last_commit_timestamp_seconds",
    "When a batch landed last, seconds since 1970",
)

"""Is the data right: what lands, what waits, what is audited and kept."""

from monitoring.dashboards.panels import Dashboard, Panel

IS_THE_DATA_RIGHT = Dashboard(
    "marquee-data",
    "Marquee: is the data right?",
    (
        Panel(
            "Lines landed",
            "By table. Nothing while people are there: docker compose logs ingest.",
            "cps",
            [("sum by (table) (rate(marquee_ingest_rows_total[$__rate_interval]))", "{{table}}")],
            no_bound="as many as people leave",
        ),
        Panel(
            "Ingest lag",
            "Lines not landed yet. From 100,000 on IngestLagging fires; none is lost. Why: docker"
            " compose logs ingest.",
            "short",
            [
                ("sum(marquee_ingest_lag_records)", "lines"),
                ("sum(marquee_ingest_uncommitted_records)", "in open transactions"),
                ("max(marquee_ingest_failed_attempts)", "attempts that failed in a row"),
            ],
            100_000,
            alerts=("IngestLagging", "IngestStuck", "StreamOutOfReach", "TransactionStuck"),
        ),
        Panel(
            "Audit",
            "1 where each consumed line is there once. At 0: ingest_audit in make psql, first.",
            "short",
            [("min by (partition) (marquee_ingest_audit_balanced)", "partition {{partition}}")],
            bad_below=1,
            alerts=("AuditUnbalanced",),
        ),
        Panel(
            "Lines the broker took",
            "Ours; of another's nothing is known here. Should be what lands, refused and doubled"
            " lines included; if it is more, see docker compose logs ingest.",
            "cps",
            [
                (
                    "sum by (topic) (rate(kafka_topic_messagesin_total[$__rate_interval]))",
                    "{{topic}}",
                )
            ],
            no_bound="as many as people leave",
        ),
        Panel(
            "Jobs that fail",
            "Failures since a job last ended well. Why: docker compose logs of its worker.",
            "short",
            [("marquee_job_failures", "{{task}}")],
            1,
            alerts=("TrainingFailed", "ScheduledReleaseFailing", "JobFailing", "BuildFailing"),
        ),
        Panel(
            "Lines that did not land",
            "Rejected by reason, and doubled. Which: docker compose exec ingest python -m ingest"
            " rejects.",
            "cps",
            [
                (
                    "sum by (reason) (rate(marquee_ingest_rejects_total[$__rate_interval]))",
                    "rejected: {{reason}}",
                ),
                ("sum(rate(marquee_ingest_duplicates_total[$__rate_interval]))", "doubled"),
            ],
            no_bound="the alerts hold the share of all lines: 2 % refused, 5 % doubled",
            alerts=("LinesRefused", "LinesDoubled"),
        ),
        Panel(
            "Passes that are overdue",
            "By RETAIN_CRON and EVALUATE_CRON; of retention the alert fires from an hour on. Why:"
            " docker compose logs retention evaluation.",
            "s",
            [
                (
                    'clamp_min(time() - marquee_next_run_timestamp_seconds{task="retain"}, 0)',
                    "retention",
                ),
                (
                    'clamp_min(time() - marquee_next_run_timestamp_seconds{task="evaluate"}, 0)',
                    "evaluation",
                ),
            ],
            bad_from=600,
            alerts=("RetentionStuck", "EvaluationStuck"),
        ),
        Panel(
            "Rows held too long",
            "1 where somebody's lease holds rows for longer than a lease should. Why: docker"
            " compose logs evaluation.",
            "short",
            [("marquee_retention_lease_stuck", "{{owner}}")],
            1,
            alerts=("LeaseStuck",),
        ),
        Panel(
            "Over the disk budget",
            "What rows take beyond DISK_BUDGET_GIB although all that may go is gone. What holds"
            " them: expiry in make psql.",
            "bytes",
            [("marquee_retention_over_budget_bytes", "over")],
            1,
            alerts=("DiskBudgetExceeded",),
        ),
    ),
)

"""Five dashboards, one for each question that somebody who is woken asks."""

from monitoring.dashboards.panels import Dashboard, Panel

SLOT = "{{slot}}"
CHOSEN = 'slot=~"$slot", model_version=~"$version"'
REQUESTS = f"sum by (slot) (rate(marquee_requests_total{{{CHOSEN}}}[$__rate_interval]))"
LATENCY = f"sum by (slot, le) (rate(marquee_request_seconds_bucket{{{CHOSEN}}}[$__rate_interval]))"
DISKS = 'node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|squashfs|iso9660"}'

IS_IT_UP = Dashboard(
    "marquee-up",
    "Marquee: is it up?",
    (
        Panel(
            "Services",
            "1 where a service answers Prometheus. At 0: docker compose logs of that service.",
            "short",
            [("up", "{{service}}")],
        ),
        Panel(
            "Nginx and PostgreSQL, as their exporters see them",
            "1 where the exporter reaches it. At 0: make status, then the log of that service.",
            "short",
            [("nginx_up", "nginx"), ("pg_up", "postgres")],
        ),
        Panel(
            "Memory of each service",
            "Resident; of PostgreSQL, memory that its processes share counts for each of them.",
            "bytes",
            [
                (
                    (
                        "sum by (service, container)"
                        ' (namedprocess_namegroup_memory_bytes{memtype="resident"})'
                    ),
                    "{{service}} {{container}}",
                )
            ],
        ),
        Panel(
            "Processors used by each service",
            "1 is one processor. The trainer gives way to the slots, so its share harms nobody.",
            "short",
            [
                (
                    (
                        "sum by (service, container)"
                        " (rate(namedprocess_namegroup_cpu_seconds_total[$__rate_interval]))"
                    ),
                    "{{service}} {{container}}",
                )
            ],
        ),
        Panel(
            "Memory of the host",
            "From 95 % on MemoryShort fires. See who uses it: docker stats.",
            "percentunit",
            [("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "used")],
            0.95,
        ),
        Panel(
            "Processors of the host",
            "Above 90 % answers wait for their turn; a training is the usual cause.",
            "percentunit",
            [('1 - avg(rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))', "busy")],
            0.9,
        ),
        Panel(
            "Disks",
            "From 90 % on DiskFillingUp fires. See what grows: docker system df -v.",
            "percentunit",
            [(f"1 - min by (device) ({DISKS} / node_filesystem_size_bytes)", "{{device}}")],
            0.9,
        ),
    ),
)

IS_IT_FAST = Dashboard(
    "marquee-fast",
    "Marquee: is it fast?",
    (
        Panel("Requests", "What the slots answer.", "reqps", [(REQUESTS, SLOT)]),
        Panel(
            "Latency of the slots",
            "Inside a slot (Flask and the path around it). SlowAnswers fires from 300 ms on.",
            "s",
            [
                (f"histogram_quantile({quantile}, {LATENCY})", f"{SLOT} {name}")
                for quantile, name in ((0.5, "p50"), (0.99, "p99"))
            ],
            0.3,
        ),
        Panel(
            "Lists by reason",
            "How lists come about. Many popular ones where people are known: ask for the model.",
            "reqps",
            [
                (
                    f"sum by (reason) (rate(marquee_requests_total{{{CHOSEN}}}[$__rate_interval]))",
                    "{{reason}}",
                )
            ],
        ),
        Panel(
            "Lists by Nginx itself",
            "No slot gave one in time. Above 1 % of all ListsByNginx fires: make status.",
            "cps",
            [("rate(marquee_nginx_own_lists_total[$__rate_interval])", "lists")],
        ),
        Panel(
            "Failed and late answers at Nginx",
            "No list, or after 600 ms. Five in ten minutes wake somebody: AnswersMissed.",
            "cps",
            [
                ("rate(marquee_nginx_failed_answers_total[$__rate_interval])", "failed"),
                ("rate(marquee_nginx_late_answers_total[$__rate_interval])", "late"),
            ],
        ),
        Panel(
            "Receipts on the slots' volumes",
            "They wait there for PostgreSQL. Growing: make status, then the log of postgres.",
            "short",
            [("marquee_receipts_spooled", SLOT)],
        ),
    ),
)

IS_THE_DATA_RIGHT = Dashboard(
    "marquee-data",
    "Marquee: is the data right?",
    (
        Panel(
            "Lines landed",
            "By table. Nothing while people are there: docker compose logs ingest.",
            "cps",
            [("sum by (table) (rate(marquee_ingest_rows_total[$__rate_interval]))", "{{table}}")],
        ),
        Panel(
            "Ingest lag",
            "Lines not landed yet. From 100,000 on IngestLagging fires; none is lost.",
            "short",
            [("sum(marquee_ingest_lag_records)", "lines")],
            100_000,
        ),
        Panel(
            "Audit",
            "1 where each consumed line is there once. At 0: ingest_audit in make psql, first.",
            "short",
            [("min by (partition) (marquee_ingest_audit_balanced)", "partition {{partition}}")],
        ),
        Panel(
            "Lines the broker took",
            "Should be what lands, refused and doubled lines included.",
            "cps",
            [
                (
                    "sum by (topic) (rate(kafka_topic_messagesin_total[$__rate_interval]))",
                    "{{topic}}",
                )
            ],
        ),
        Panel(
            "Jobs that fail",
            "Failures since a job last ended well. Its worker's log says why.",
            "short",
            [("marquee_job_failures", "{{task}}")],
            1,
        ),
    ),
)

IS_THE_MODEL_GOOD = Dashboard(
    "marquee-model",
    "Marquee: is the model good?",
    (
        Panel(
            "Offline: NDCG@20",
            "Of each algorithm at the newest training, on held-out data; more is better.",
            "none",
            [("marquee_model_ndcg20", "{{algorithm}}")],
        ),
        Panel(
            "Online: answers that led to watching",
            "By version and arm. Compare within an hour, not across days.",
            "percentunit",
            [
                (
                    (
                        'marquee_online_metric{metric="hit_rate", reason="all", segment="all",'
                        ' model_version=~"$version"}'
                    ),
                    "{{model_version}} {{arm}}",
                )
            ],
        ),
        Panel(
            "Lists ranked for whoever asked",
            "By the model or by what somebody just did; the rest is popular or by age and job.",
            "percentunit",
            [('marquee_personal_share{slot=~"$slot"}', SLOT)],
        ),
        Panel(
            "Age of the model",
            "From a week on ModelTooOld fires: docker compose logs trainer.",
            "s",
            [('marquee_model_age_seconds{slot=~"$slot"}', SLOT)],
            7 * 86400,
        ),
    ),
)

WHAT_CHANGED = Dashboard(
    "marquee-changes",
    "Marquee: what changed?",
    (
        Panel(
            "Live version",
            "The version that is live, by slot. Why: deployment in make psql.",
            "short",
            [("marquee_live_version", "{{model_version}} in {{slot}}")],
        ),
        Panel(
            "Share of a release",
            "Buckets of 1,000 on the version being released; 0 while none is.",
            "short",
            [("marquee_release_share", "buckets")],
        ),
        Panel(
            "Answers by version",
            "During a release both versions answer; afterwards one.",
            "reqps",
            [
                (
                    (
                        "sum by (model_version)"
                        f" (rate(marquee_requests_total{{{CHOSEN}}}[$__rate_interval]))"
                    ),
                    "{{model_version}}",
                )
            ],
        ),
        Panel(
            "Releases that ended",
            "By how they ended. Aborted ones say why in make status and in deployment.",
            "short",
            [("increase(marquee_releases_total[$__rate_interval])", "{{outcome}}")],
        ),
        Panel(
            "Training",
            "Share of the running or last training that is done.",
            "percentunit",
            [("marquee_training_progress_ratio", "done")],
        ),
        Panel(
            "Starts",
            "When each process started; a line that climbs is a service that restarts.",
            "dateTimeAsIso",
            [('process_start_time_seconds{job!=""} * 1000', "{{service}}")],
        ),
    ),
)

DASHBOARDS = (IS_IT_UP, IS_IT_FAST, IS_THE_DATA_RIGHT, IS_THE_MODEL_GOOD, WHAT_CHANGED)

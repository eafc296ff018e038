"""Dashboards, one for each question that somebody who is woken asks."""

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
            alerts=("ServiceDown", "WantedServiceDown", "SlotDown", "BothSlotsDown"),
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
            alerts=("MemoryShort",),
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
            alerts=("DiskFillingUp", "DiskFullTomorrow"),
        ),
        Panel(
            "Room for files",
            "Share of a disk's files that can still be made. Below 5 % it is as good as full.",
            "percentunit",
            [
                (
                    "min by (device) (node_filesystem_files_free / (node_filesystem_files > 0))",
                    "{{device}}",
                )
            ],
            alerts=("FilesRunningOut",),
        ),
        Panel(
            "Processes killed for want of memory",
            "By the kernel. Which: dmesg | grep -i oom.",
            "short",
            [("increase(node_vmstat_oom_kill[$__rate_interval])", "killed")],
            1,
            alerts=("KilledForMemory",),
        ),
        Panel(
            "Clock of the host",
            "How far off it is, and whether something keeps it (1). Times on rows are off as far.",
            "s",
            [
                ("abs(node_timex_offset_seconds)", "off"),
                ("node_timex_sync_status", "kept"),
                ("max(marquee_ingest_clock_behind_seconds)", "behind the stream"),
            ],
            alerts=("ClockOff", "ClockNotKept", "ClockBehindStream"),
        ),
        Panel(
            "Age of the newest backup",
            "From 26 hours on BackupTooOld fires: make backup.",
            "s",
            [("time() - marquee_backup_last_timestamp_seconds", "since the last")],
            26 * 3600,
            alerts=("BackupTooOld", "NoBackup"),
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
            alerts=("SlowAnswers",),
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
            alerts=("ListsByNginx",),
        ),
        Panel(
            "Failed and late answers at Nginx",
            "No list, or after 600 ms. Five in ten minutes wake somebody: AnswersMissed.",
            "cps",
            [
                ("rate(marquee_nginx_failed_answers_total[$__rate_interval])", "failed"),
                ("rate(marquee_nginx_late_answers_total[$__rate_interval])", "late"),
            ],
            alerts=("PromiseBroken", "PromiseSlipping", "AnswersMissed"),
        ),
        Panel(
            "Receipts on the slots' volumes",
            "They wait there for PostgreSQL. Growing: make status, then the log of postgres.",
            "short",
            [("marquee_receipts_spooled", SLOT)],
            alerts=("ReceiptsWaiting",),
        ),
        Panel(
            "Answers by status",
            "5xx is the slots' own failure; Nginx then asks the other slot.",
            "reqps",
            [
                (
                    f"sum by (status) (rate(marquee_requests_total{{{CHOSEN}}}[$__rate_interval]))",
                    "{{status}}",
                )
            ],
            alerts=("HighErrorRate",),
        ),
        Panel(
            "Receipts dropped",
            "Given up because the volume was full: these answers cannot be explained.",
            "cps",
            [("rate(marquee_receipts_dropped_total[$__rate_interval])", SLOT)],
            alerts=("ReceiptsDropped",),
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
            [
                ("sum(marquee_ingest_lag_records)", "lines"),
                ("sum(marquee_ingest_uncommitted_records)", "in open transactions"),
            ],
            100_000,
            alerts=("IngestLagging", "IngestStuck", "TransactionStuck"),
        ),
        Panel(
            "Audit",
            "1 where each consumed line is there once. At 0: ingest_audit in make psql, first.",
            "short",
            [("min by (partition) (marquee_ingest_audit_balanced)", "partition {{partition}}")],
            alerts=("AuditUnbalanced",),
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
            alerts=("TrainingFailed", "ScheduledReleaseFailing", "JobFailing"),
        ),
        Panel(
            "Lines that did not land",
            "Rejected by reason, and doubled. Why: reject in make psql.",
            "cps",
            [
                (
                    "sum by (reason) (rate(marquee_ingest_rejects_total[$__rate_interval]))",
                    "rejected: {{reason}}",
                ),
                ("sum(rate(marquee_ingest_duplicates_total[$__rate_interval]))", "doubled"),
            ],
            alerts=("LinesRefused", "LinesDoubled"),
        ),
        Panel(
            "Since the last pass",
            "Of retention every few minutes, of evaluation every minute.",
            "s",
            [
                ("time() - (marquee_retention_last_pass_timestamp_seconds > 0)", "retention"),
                ("time() - (marquee_evaluation_last_pass_timestamp_seconds > 0)", "evaluation"),
            ],
            alerts=("RetentionStuck", "EvaluationStuck"),
        ),
        Panel(
            "Rows held too long",
            "1 where somebody's lease holds rows for longer than a lease should.",
            "short",
            [("marquee_retention_lease_stuck", "{{owner}}")],
            1,
            alerts=("LeaseStuck",),
        ),
        Panel(
            "Over the disk budget",
            "What rows take beyond DISK_BUDGET_GIB although all that may go is gone.",
            "bytes",
            [("marquee_retention_over_budget_bytes", "over")],
            1,
            alerts=("DiskBudgetExceeded",),
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
            alerts=("ModelTooOld",),
        ),
        Panel(
            "Rows that came too late to be judged",
            "More than LATENESS behind the stream: no figure reckons with them.",
            "short",
            [("marquee_evaluation_too_late_rows", "{{kind}}")],
            alerts=("JudgedTooLate",),
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
            alerts=("ReleaseAborted",),
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
            alerts=("ServiceRestarting",),
        ),
    ),
)

IS_ANYBODY_TOLD = Dashboard(
    "marquee-told",
    "Marquee: is anybody told?",
    (
        Panel(
            "Watchdog",
            "Always 1: rules are evaluated. A gap is a time when nobody would have been told.",
            "short",
            [('ALERTS{alertname="Watchdog"}', "fires")],
            alerts=("Watchdog", "AlertTest"),
        ),
        Panel(
            "Ways out that are set",
            "1 where an address is set. Slack tells people; the other hears when all is silent.",
            "short",
            [("marquee_secret_set", "{{name}}")],
            alerts=("SlackNotSet", "DeadMansSwitchNotSet"),
        ),
        Panel(
            "Messages that did not arrive",
            "From Alertmanager to a receiver. Why: docker compose logs alertmanager.",
            "cps",
            [
                (
                    (
                        "sum by (receiver_name)"
                        " (rate(alertmanager_notifications_failed_total[$__rate_interval]))"
                    ),
                    "{{receiver_name}}",
                )
            ],
            alerts=("NotificationsFailing",),
        ),
        Panel(
            "Alerts lost on their way to Alertmanager",
            "Dropped, or sent in vain. Why: docker compose logs prometheus.",
            "cps",
            [
                ("rate(prometheus_notifications_dropped_total[$__rate_interval])", "dropped"),
                (
                    (
                        "sum by (alertmanager)"
                        " (rate(prometheus_notifications_errors_total[$__rate_interval]))"
                    ),
                    "in vain to {{alertmanager}}",
                ),
            ],
            alerts=("NotificationsLost",),
        ),
        Panel(
            "Rules that could not be evaluated",
            "Their alerts cannot fire. Which: docker compose logs prometheus.",
            "cps",
            [
                (
                    (
                        "sum by (rule_group)"
                        " (rate(prometheus_rule_evaluation_failures_total[$__rate_interval]))"
                    ),
                    "{{rule_group}}",
                )
            ],
            alerts=("RuleEvaluationFailing",),
        ),
        Panel(
            "Configuration taken",
            "0 where the last change of its configuration was refused.",
            "short",
            [
                ("prometheus_config_last_reload_successful", "prometheus"),
                ("alertmanager_config_last_reload_successful", "alertmanager"),
            ],
            alerts=("ConfigurationRefused",),
        ),
    ),
)

DASHBOARDS = (
    IS_IT_UP,
    IS_IT_FAST,
    IS_THE_DATA_RIGHT,
    IS_THE_MODEL_GOOD,
    WHAT_CHANGED,
    IS_ANYBODY_TOLD,
)

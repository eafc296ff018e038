"""Is the model good: offline, online, and how old it is."""

from monitoring.dashboards.panels import Dashboard, Panel

SLOT = "{{slot}}"

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

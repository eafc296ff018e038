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
        Panel(
            "Drift of ratings",
            "Stability index against the live version's training. People rate what is recommended"
            " higher; if it jumps: make retrain.",
            "short",
            [("marquee_drift_rating_index", "{{model_version}}")],
        ),
        Panel(
            "New to the live version",
            "Of people, and of what they choose. It recommends what it knows: make retrain.",
            "percentunit",
            [('marquee_drift_share{at="now", what=~"new_people|new_movies"}', "{{what}}")],
            0.5,
            alerts=("PeopleNewToTheModel", "MoviesNewToTheModel"),
        ),
        Panel(
            "What people do",
            "Rated or only watched, now and at the training. At 0 a kind is missing: arrival.",
            "percentunit",
            [('marquee_drift_share{what=~"rated|only_watched"}', "{{what}} {{at}}")],
            alerts=("KindOfEventMissing",),
        ),
        Panel(
            "Share of the top hundredth of movies",
            "Now and at the training. If it doubles, lists feed on themselves: DIVERSITY.",
            "percentunit",
            [('marquee_drift_share{what="top_movies"}', "{{at}}")],
        ),
    ),
)

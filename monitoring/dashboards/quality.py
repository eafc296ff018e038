"""Is the model good: offline, online, and how old it is."""

from monitoring.dashboards.panels import Dashboard, Panel

SLOT = "{{slot}}"

IS_THE_MODEL_GOOD = Dashboard(
    "marquee-model",
    "Marquee: is the model good?",
    (
        Panel(
            "Offline: NDCG@20",
            "Of each algorithm at the training of a version, on held-out data; more is better."
            " Less than before: docker compose logs trainer says what the data was.",
            "none",
            [
                (
                    'marquee_model_ndcg20{model_version=~"$version"}',
                    "{{model_version}} {{algorithm}}",
                )
            ],
            no_bound="it depends on the data; the gate holds it against popularity",
        ),
        Panel(
            "Online: answers that led to watching",
            "By version and arm. Compare within an hour, not across days. Is one better: make"
            " experiments; if the new one is worse, make rollback.",
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
            no_bound="it goes with the hour and who comes; experiments and the gate compare",
        ),
        Panel(
            "Lists ranked for whoever asked",
            "By the model or by what somebody just did; the rest is popular or by age and job. At"
            " 0 no slot has a model: make status.",
            "percentunit",
            [('marquee_personal_share{slot=~"$slot"}', SLOT)],
            no_bound="who is new rightly gets what is popular; beside it stands how many are new",
        ),
        Panel(
            "Age of the model",
            "Trained and released each night, ModelTooOld fires from a week on: docker compose"
            " logs trainer.",
            "s",
            [('marquee_model_age_seconds{slot=~"$slot"}', SLOT)],
            no_bound="it is five days more than RETRAIN_CRON and RELEASE_CRON leave between two",
            alerts=("ModelTooOld",),
        ),
        Panel(
            "Rows that came too late to be judged",
            "More than LATENESS behind the stream: no figure reckons with them. What stood still"
            " for so long: docker compose logs ingest.",
            "short",
            [("marquee_evaluation_too_late_rows", "{{kind}}")],
            no_bound="it only grows, and the alert fires when it does",
            alerts=("JudgedTooLate",),
        ),
        Panel(
            "Drift of ratings",
            "Stability index against the live version's training, from 200 ratings on. People"
            " rate what is recommended higher; if it jumps: make retrain.",
            "short",
            [("marquee_drift_rating_index", "{{model_version}}")],
            no_bound="0.27 to 0.44 was seen minutes after a release that was well",
        ),
        Panel(
            "New to the live version",
            "Of people (an alert from 0.5 on) and of what they choose (0.2), once there is enough"
            " to say. It recommends what it knows: make retrain.",
            "percentunit",
            [('marquee_drift_share{at="now", what=~"new_people|new_movies"}', "{{what}}")],
            0.5,
            alerts=("PeopleNewToTheModel", "MoviesNewToTheModel"),
        ),
        Panel(
            "What people do",
            "Rated or only watched, now and at the training. At 0 a kind is missing: arrival and"
            " refusal in make psql.",
            "percentunit",
            [('marquee_drift_share{what=~"rated|only_watched"}', "{{what}} {{at}}")],
            no_bound="the alert fires below a tenth of its own share at the training",
            alerts=("KindOfEventMissing",),
        ),
        Panel(
            "Share of the top hundredth of movies",
            "Now and at the training. If it doubles, lists feed on themselves: more of DIVERSITY"
            " for make up.",
            "percentunit",
            [('marquee_drift_share{what="top_movies"}', "{{at}}")],
            no_bound="it depends on the movies; hold it against its share at the training",
        ),
    ),
)

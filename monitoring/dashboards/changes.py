"""What changed: versions, releases, trainings, starts."""

from monitoring.dashboards.panels import Dashboard, Panel

CHOSEN = 'slot=~"$slot", model_version=~"$version"'

WHAT_CHANGED = Dashboard(
    "marquee-changes",
    "Marquee: what changed?",
    (
        Panel(
            "Live version",
            "The version that is live, by slot. Why: deployment in make psql.",
            "short",
            [("marquee_live_version", "{{model_version}} in {{slot}}")],
            no_bound="it names what is live",
        ),
        Panel(
            "Share of a release",
            "Buckets of 1,000 on the version being released; 0 while none is. If it stands still:"
            " docker compose logs releaser; back: make rollback.",
            "short",
            [("marquee_release_share", "buckets")],
            no_bound="it goes from 0 to 1,000, or back",
        ),
        Panel(
            "Answers by version",
            "During a release both versions answer; afterwards one. Two without a release: make"
            " status.",
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
            no_bound="as many as people ask",
        ),
        Panel(
            "Releases that ended",
            "By how they ended. Aborted ones say why in make status and in deployment.",
            "short",
            [("increase(marquee_releases_total[$__rate_interval])", "{{outcome}}")],
            no_bound="good and bad ends are drawn; the alert fires for bad ones",
            alerts=("ReleaseAborted",),
        ),
        Panel(
            "Training",
            "Share of the running or last training that is done. If it stands still: docker"
            " compose logs trainer.",
            "percentunit",
            [("marquee_training_progress_ratio", "done")],
            no_bound="it goes from 0 to 1 each time",
        ),
        Panel(
            "Time since each start",
            "How long each process has run; a line that falls to 0 is a service that restarted."
            " Why: docker compose logs of it.",
            "s",
            [('time() - process_start_time_seconds{job!=""}', "{{service}}")],
            no_bound="an upgrade starts all; the alert fires from four starts in 15 minutes on",
            alerts=("ServiceRestarting",),
        ),
    ),
)

"""Is it fast: requests, latency, and what was not answered as promised."""

from monitoring.dashboards.panels import ONE_IN_FIVE_MINUTES, Dashboard, Panel

SLOT = "{{slot}}"
CHOSEN = 'slot=~"$slot", model_version=~"$version"'
REQUESTS = f"sum by (slot) (rate(marquee_requests_total{{{CHOSEN}}}[$__rate_interval]))"
LATENCY = f"sum by (slot, le) (rate(marquee_request_seconds_bucket{{{CHOSEN}}}[$__rate_interval]))"

IS_IT_FAST = Dashboard(
    "marquee-fast",
    "Marquee: is it fast?",
    (
        Panel(
            "Requests",
            "What the slots answer. None while people are there: make status, then docker compose"
            " logs nginx.",
            "reqps",
            [(REQUESTS, SLOT)],
            no_bound="as many as people ask",
        ),
        Panel(
            "Latency of the slots",
            "Inside a slot (Flask and the path around it). SlowAnswers fires from 300 ms on: see"
            " who else is busy by docker stats.",
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
            "How lists come about. Many popular ones where people are known: see in make status"
            " whether a model is live, and in docker compose logs whether the slots have it.",
            "reqps",
            [
                (
                    f"sum by (reason) (rate(marquee_requests_total{{{CHOSEN}}}[$__rate_interval]))",
                    "{{reason}}",
                )
            ],
            no_bound="what is usual depends on who comes",
        ),
        Panel(
            "Lists by Nginx itself",
            "No slot gave one in time, or an address had more than its share in progress. Above 1"
            " % of all an alert fires: see in make status whether the slots are up.",
            "cps",
            [
                ("rate(marquee_nginx_own_lists_total[$__rate_interval])", "no slot in time"),
                ("rate(marquee_nginx_over_share_lists_total[$__rate_interval])", "over a share"),
            ],
            no_bound="the alerts hold their share of all lists, from 1 % on",
            alerts=("ListsByNginx", "ListsOverShare"),
        ),
        Panel(
            "Failed and late answers at Nginx",
            "No list, or after 600 ms. Five in ten minutes wake somebody: after a release make"
            " rollback, else make status.",
            "cps",
            [
                ("rate(marquee_nginx_failed_answers_total[$__rate_interval])", "failed"),
                ("rate(marquee_nginx_late_answers_total[$__rate_interval])", "late"),
            ],
            bad_from=5 / 600,
            alerts=("PromiseBroken", "PromiseSlipping", "AnswersMissed"),
        ),
        Panel(
            "Receipts on the slots' volumes",
            "They wait there for PostgreSQL. Growing: make status, then the log of postgres.",
            "short",
            [("marquee_receipts_spooled", SLOT)],
            bad_from=100_000,
            alerts=("ReceiptsWaiting",),
        ),
        Panel(
            "Answers by status",
            "5xx is the slots' own failure; Nginx then asks the other slot. After a release make"
            " rollback, else docker compose logs of the slot.",
            "reqps",
            [
                (
                    f"sum by (status) (rate(marquee_requests_total{{{CHOSEN}}}[$__rate_interval]))",
                    "{{status}}",
                )
            ],
            no_bound="the alert holds the share of 5xx, from 1 % on",
            alerts=("HighErrorRate",),
        ),
        Panel(
            "Receipts dropped",
            "Given up because the volume was full: these answers cannot be explained. Why they"
            " waited: make status, then docker compose logs postgres.",
            "cps",
            [("rate(marquee_receipts_dropped_total[$__rate_interval])", SLOT)],
            bad_from=ONE_IN_FIVE_MINUTES,
            alerts=("ReceiptsDropped",),
        ),
    ),
)

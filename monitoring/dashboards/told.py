"""Is anybody told: the way of an alert from a rule to a person."""

from monitoring.dashboards.panels import ONE_IN_FIVE_MINUTES, Dashboard, Panel

IS_ANYBODY_TOLD = Dashboard(
    "marquee-told",
    "Marquee: is anybody told?",
    (
        Panel(
            "Watchdog",
            "Always 1: rules are evaluated. A gap is a time when nobody would have been told:"
            " docker compose logs prometheus.",
            "short",
            [('ALERTS{alertname="Watchdog"}', "fires")],
            bad_below=1,
            alerts=("Watchdog", "AlertTest"),
        ),
        Panel(
            "Ways out that are set",
            "1 where an address is set. Slack tells people; the other hears when all is silent."
            " Try it: make alert-test.",
            "short",
            [("marquee_secret_set", "{{name}}")],
            bad_below=1,
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
            bad_from=ONE_IN_FIVE_MINUTES,
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
            bad_from=ONE_IN_FIVE_MINUTES,
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
            bad_from=ONE_IN_FIVE_MINUTES,
            alerts=("RuleEvaluationFailing",),
        ),
        Panel(
            "Configuration taken",
            "0 where the last change of its configuration was refused. Why: docker compose logs"
            " of it.",
            "short",
            [
                ("prometheus_config_last_reload_successful", "prometheus"),
                ("alertmanager_config_last_reload_successful", "alertmanager"),
            ],
            bad_below=1,
            alerts=("ConfigurationRefused",),
        ),
    ),
)

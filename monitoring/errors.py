"""What can go wrong in monitoring, under one root.

MonitoringError
├── AlertTestError: an alert did not arrive
├── ListingError: what should be a listing of containers is none
└── UnansweredError: Prometheus or Alertmanager did not answer, or not what was asked
"""


class MonitoringError(Exception):
    """Any failure that monitoring itself tells of."""


class AlertTestError(MonitoringError):
    """An alert that was asked for did not come as far as it should; says what to look at."""


class ListingError(MonitoringError):
    """The text is no output of `docker compose ps --format json`."""


class UnansweredError(MonitoringError):
    """Prometheus or Alertmanager did not answer, or not what was asked."""

    def __init__(self, url: str, error: Exception | str) -> None:
        """Say who was asked and why nothing came that tells anything."""
        super().__init__(f"{url} did not answer: {error}")

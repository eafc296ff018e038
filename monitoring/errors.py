"""What can go wrong in monitoring, under one root.

MonitoringError
├── LeaseLostError: the evaluation's watermark is gone
└── ListingError: what should be a listing of containers is none
"""


class MonitoringError(Exception):
    """Any failure that monitoring itself tells of."""


class LeaseLostError(MonitoringError):
    """The row that holds the evaluation's watermark is gone."""


class ListingError(MonitoringError):
    """The text is no output of `docker compose ps --format json`."""

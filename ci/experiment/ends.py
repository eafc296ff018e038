"""Ends an experiment by itself: when it is decided, or has had as many people as were planned."""

import time

import psycopg
import structlog
from procrastinate.exceptions import AlreadyEnqueued

from ci.release import experiments, records
from ci.settings import Settings
from compose.service.jobs import defer, job_app

LOOK_SECONDS = 5.0

LOG = structlog.get_logger()


def keep_ending(settings: Settings, queue: str) -> None:
    """Ask the releaser to end what is decided, for as long as the process lives.

    A release has an experiment of its own, and ends it itself.
    """
    conninfo = settings.conninfo()
    while True:
        try:
            with psycopg.connect(conninfo, autocommit=True) as connection:
                reason = None if records.jobs_open(connection) else due(connection)
            if reason:
                defer(job_app(conninfo), "experiment_stop", queue, reason=reason)
        except (psycopg.OperationalError, AlreadyEnqueued) as error:
            LOG.warning("not looked at experiments", why=str(error))
        time.sleep(LOOK_SECONDS)


def due(connection: psycopg.Connection) -> str | None:
    """Why the experiment that runs is to end now; None if it is not, or none runs."""
    runs = experiments.running(connection)
    return experiments.why_to_end(connection, runs) if runs else None

"""Ends an experiment by itself: when it is decided, has had its people, or its slots end it."""

import time

import httpx
import psycopg
import structlog
from procrastinate.exceptions import AlreadyEnqueued

from ci.experiment.watch import Ending, Watch, ask_slots
from ci.release import experiments, records
from ci.release.slots import slot_client
from ci.settings import Settings
from compose.service.jobs import defer, job_app

LOOK_SECONDS = 5.0

LOG = structlog.get_logger()


def keep_ending(settings: Settings, queue: str) -> None:
    """Ask the releaser to end what is over, for as long as the process lives.

    A release has an experiment of its own, and ends it itself.
    """
    conninfo = settings.conninfo()
    watch: Watch | None = None
    with slot_client() as client:
        while True:
            try:
                with psycopg.connect(conninfo, autocommit=True) as connection:
                    watch = watched(connection, watch)
                    ending = due(connection, settings, client, watch) if watch else None
                if ending:
                    words = {"reason": ending.reason, "harm": ending.harm}
                    defer(job_app(conninfo), "experiment_stop", queue, **words)
            except (psycopg.Error, AlreadyEnqueued) as error:
                LOG.warning("not looked at experiments", why=str(error))
            time.sleep(LOOK_SECONDS)


def watched(connection: psycopg.Connection, before: Watch | None) -> Watch | None:
    """The watch over the experiment that runs; None where none does, or a release is at work."""
    runs = None if records.jobs_open(connection) else experiments.running(connection)
    if runs is None or (before and before.experiment_id == runs.experiment_id):
        return before if runs else None
    return Watch(runs)


def due(
    connection: psycopg.Connection, settings: Settings, client: httpx.Client, watch: Watch
) -> Ending | None:
    """Why the experiment that is watched is to end now; None if it is not."""
    if ending := watch.look(ask_slots(client, settings), settings.bounds()):
        return ending
    decided = experiments.why_to_end(connection, watch.experiment_id)
    return Ending(decided) if decided else None

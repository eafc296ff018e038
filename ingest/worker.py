"""The jobs of retention: what the worker of the queue `retain` does, and when."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Event, Thread

import psycopg
import structlog
from procrastinate import App, JobContext
from procrastinate.exceptions import JobAborted

from compose.service.jobs import job_app
from compose.service.schedule import next_due
from ingest.audit.audit import Scope, audit
from ingest.catalogue.discovery import ask_api, describe, discover
from ingest.errors import MetadataError
from ingest.metrics import AUDIT_BALANCED, NEXT_RUN
from ingest.retention.retention_pass import retain
from ingest.settings import RetentionSettings

LOG = structlog.get_logger()

QUEUE = "retain"
STOP_POLL_SECONDS = 0.2


def retention_app(settings: RetentionSettings, conninfo: str, now: Callable[[], datetime]) -> App:
    """Make the periodic tasks of retention; each is safe to repeat."""
    app = job_app(conninfo)

    def periodic(cron: str, name: str, work: Callable[[psycopg.Connection], None]) -> None:
        def tell_next() -> None:
            NEXT_RUN.labels(name).set(next_due(cron, now()).timestamp())

        @app.periodic(cron=cron)
        @app.task(name=name, queue=QUEUE, queueing_lock=name, pass_context=True)
        def _task(context: JobContext, timestamp: int = 0) -> None:  # noqa: ARG001 -- the deferrer's
            with stoppable_connection(conninfo, context.should_abort) as connection:
                work(connection)
            tell_next()

        tell_next()

    periodic(settings.retain_cron, "retain", lambda at: retain(at, settings, now()))
    periodic(settings.audit_cron, "audit", lambda at: show_audit(at, now(), "incremental"))
    periodic(settings.full_audit_cron, "full_audit", lambda at: show_audit(at, now(), "full"))
    periodic(
        settings.catalogue_cron,
        "catalogue",
        lambda at: keep_catalogue(at, settings.metadata_url, now()),
    )

    return app


@contextmanager
def stoppable_connection(
    conninfo: str, should_stop: Callable[[], bool]
) -> Iterator[psycopg.Connection]:
    """A connection whose statement is cancelled when the worker is to stop.

    Raises:
        JobAborted: the worker is to stop; what was not committed is undone.
    """
    with psycopg.connect(conninfo, autocommit=True) as connection:
        over = Event()
        watcher = Thread(target=_cancel_when, args=(connection, should_stop, over))
        watcher.start()
        try:
            yield connection
        except psycopg.errors.QueryCanceled as error:
            raise JobAborted from error
        finally:
            over.set()
            watcher.join()


def _cancel_when(
    connection: psycopg.Connection, should_stop: Callable[[], bool], over: Event
) -> None:
    while not over.wait(STOP_POLL_SECONDS):
        if should_stop():
            connection.cancel_safe()


def show_audit(connection: psycopg.Connection, now: datetime, scope: Scope) -> None:
    """Audit, and tell Prometheus and the log."""
    for partition in audit(connection, now, scope):
        AUDIT_BALANCED.labels(partition.log_partition, partition.scope).set(partition.balanced)
        if not partition.balanced:
            LOG.error("audit does not balance", **vars(partition))


def keep_catalogue(connection: psycopg.Connection, metadata_url: str, now: datetime) -> None:
    """Add who and what was met, and learn about them if there is a metadata API."""
    discover(connection)
    if metadata_url:
        try:
            describe(connection, ask_api(metadata_url), now)
        except MetadataError as error:
            LOG.warning("metadata API did not answer, will ask next time", error=str(error))

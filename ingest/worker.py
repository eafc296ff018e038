"""The jobs of retention: what the worker of the queue `retain` does, and when."""

from collections.abc import Callable
from datetime import datetime

import psycopg
import structlog
from procrastinate import App

from ingest.audit import audit
from ingest.catalogue import ask_api, describe, meet
from ingest.errors import MetadataError
from ingest.jobs import job_app
from ingest.metrics import AUDIT_BALANCED
from ingest.retention import retain
from ingest.settings import RetentionSettings

LOG = structlog.get_logger()

QUEUE = "retain"


def retention_app(settings: RetentionSettings, conninfo: str, now: Callable[[], datetime]) -> App:
    """The periodic tasks `retain`, `audit` and `catalogue`; each is safe to repeat."""
    app = job_app(conninfo)

    @app.periodic(cron=settings.retain_cron)
    @app.task(name="retain", queue=QUEUE, queueing_lock="retain")
    def _retain(timestamp: int = 0) -> None:  # noqa: ARG001 -- the periodic deferrer hands it over
        with psycopg.connect(conninfo, autocommit=True) as connection:
            retain(connection, settings, now())

    @app.periodic(cron=settings.audit_cron)
    @app.task(name="audit", queue=QUEUE, queueing_lock="audit")
    def _audit(timestamp: int = 0) -> None:  # noqa: ARG001 -- the periodic deferrer hands it over
        with psycopg.connect(conninfo, autocommit=True) as connection:
            show_audit(connection, now())

    @app.periodic(cron=settings.catalogue_cron)
    @app.task(name="catalogue", queue=QUEUE, queueing_lock="catalogue")
    def _catalogue(timestamp: int = 0) -> None:  # noqa: ARG001 -- the periodic deferrer hands it over
        with psycopg.connect(conninfo, autocommit=True) as connection:
            keep_catalogue(connection, settings.metadata_url, now())

    return app


def show_audit(connection: psycopg.Connection, now: datetime) -> None:
    """Audit, and tell Prometheus and the log."""
    for partition in audit(connection, now):
        AUDIT_BALANCED.labels(partition.log_partition).set(partition.balanced)
        if not partition.balanced:
            LOG.error("audit does not balance", **vars(partition))


def keep_catalogue(connection: psycopg.Connection, metadata_url: str, now: datetime) -> None:
    """Add who and what was met, and learn about them if there is a metadata API."""
    meet(connection)
    if metadata_url:
        try:
            describe(connection, ask_api(metadata_url), now)
        except MetadataError as error:
            LOG.warning("metadata API did not answer, will ask next time", error=str(error))

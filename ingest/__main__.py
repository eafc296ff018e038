"""The commands of this package, and the only place that wires it to the outside."""

import signal
from datetime import UTC, datetime
from threading import Event
from time import monotonic
from typing import Annotated

import psycopg
import structlog
import typer
from prometheus_client import start_http_server

from ingest.audit import audit as audit_tables
from ingest.audit import audit_table
from ingest.broker import asking, log_bounds
from ingest.catching_up import lines_waiting
from ingest.consumer import run as run_consumer
from ingest.database import DatabaseSettings
from ingest.errors import IngestError
from ingest.jobs import work as work_on_jobs
from ingest.log import configure_logging
from ingest.retention import retain, retention_table
from ingest.settings import IngestSettings, RetentionSettings
from ingest.worker import QUEUE, retention_app

LOG = structlog.get_logger()

app = typer.Typer(help="Kafka to PostgreSQL.", no_args_is_help=True, pretty_exceptions_enable=False)
retention = typer.Typer(help="What expires, and when.", no_args_is_help=True)
app.add_typer(retention, name="retain")


def _now() -> datetime:
    return datetime.now(UTC)


def _connect(settings: DatabaseSettings) -> psycopg.Connection:
    return psycopg.connect(settings.conninfo(), autocommit=True)


@app.command()
def run() -> None:
    """Land the lines of the topic in PostgreSQL, exactly once, until SIGTERM.

    Where Kafka or PostgreSQL is gone it waits and goes on by itself. Exits with 1 where
    only a person can decide: lines were lost at the broker, or the topic is another one.
    """
    configure_logging("ingest")
    settings = IngestSettings()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    start_http_server(settings.metrics_port)
    try:
        run_consumer(settings, settings.conninfo(), _now, stop)
    except IngestError as error:
        LOG.critical("stopped", kind=type(error).__name__, error=str(error))
        raise typer.Exit(1) from error


@app.command()
def wait(
    timeout_seconds: Annotated[
        float, typer.Option(help="Give up when nothing lands for so long.")
    ] = 60,
) -> None:
    """Wait until all that the broker holds at this moment has landed.

    Exits with 1 when lines wait and none of them lands.
    """
    settings = IngestSettings()
    with asking(settings) as consumer:
        bounds = log_bounds(consumer, settings.kafka_topic)
    ends = {number: offsets.stop for number, offsets in bounds.items()}
    try:
        with _connect(settings) as connection:
            for waiting in lines_waiting(
                connection, settings.kafka_topic, ends, monotonic, timeout_seconds
            ):
                typer.echo(f"{sum(ends.values()) - waiting:,} of {sum(ends.values()):,} landed")
    except IngestError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


@app.command()
def audit(
    *,
    incremental: Annotated[
        bool, typer.Option(help="Only what came after the last audit that balanced.")
    ] = False,
) -> None:
    """Count every table against the offsets consumed, and say whether each line is there once.

    The result is kept in the table `ingest_audit`. Exits with 1 where it does not balance.
    """
    with _connect(DatabaseSettings()) as connection:
        partitions = audit_tables(connection, _now(), "incremental" if incremental else "full")
    typer.echo(audit_table(partitions))
    if not all(partition.balanced for partition in partitions):
        raise typer.Exit(1)


@retention.command()
def work() -> None:
    """Do the jobs `retain`, `audit` and `catalogue` as they come due, until SIGTERM."""
    configure_logging("retention")
    settings = RetentionSettings()
    start_http_server(settings.metrics_port)
    jobs = retention_app(settings, settings.conninfo(), _now)
    work_on_jobs(jobs, QUEUE, settings.heartbeat_file)


@retention.command("pass")
def do_pass(
    *, dry_run: Annotated[bool, typer.Option(help="Only say what would be dropped.")] = False
) -> None:
    """Say of each partition whether it may go and why, then do one pass of retention now."""
    configure_logging("retention")
    settings = RetentionSettings()
    with _connect(settings) as connection:
        typer.echo(retention_table(connection, settings, _now()))
        if not dry_run:
            retain(connection, settings, _now())


if __name__ == "__main__":
    app()

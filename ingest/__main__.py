"""The commands of this package, and the only place that wires it to the outside."""

import signal
import sys
from datetime import UTC, datetime
from threading import Event

import structlog
import typer
from prometheus_client import start_http_server

from ingest.consumer import run as run_consumer
from ingest.errors import IngestError
from ingest.log import configure_logging
from ingest.settings import IngestSettings

LOG = structlog.get_logger()

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)


def _now() -> datetime:
    return datetime.now(UTC)


@app.callback()
def _commands() -> None:
    pass


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
        sys.exit(1)


if __name__ == "__main__":
    app()

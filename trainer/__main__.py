"""Train models: a worker that does it, and a command that asks for it and watches."""

import signal
import sys

import psycopg
import typer
from prometheus_client import REGISTRY, start_http_server

from ingest.jobs import follow, job_status
from ingest.log import configure_logging
from trainer.metrics import TrainingMetrics
from trainer.settings import Settings
from trainer.worker import ask, serve

app = typer.Typer(
    help="From the rows in PostgreSQL to a verified model version on the models volume.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.command()
def work() -> None:
    """Train whenever it is asked for, and every night unless Jenkins keeps the schedule.

    Runs until SIGTERM. A training that this interrupts is begun again at the next start.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until the queue has its own handler
    configure_logging("trainer")
    settings = Settings()
    start_http_server(settings.metrics_port)
    serve(settings, TrainingMetrics(REGISTRY))


@app.command()
def retrain() -> None:
    """Ask for a training, print its progress, and then a report of the version.

    Exits with 0 if a version was trained, whatever the gate said of it (the report's last
    line), and with 1 if none was.
    """
    conninfo = Settings().conninfo()
    job = ask(conninfo)
    typer.echo(f"training is job {job}")
    for line in follow(conninfo, job):
        typer.echo(f"{line.at:%H:%M:%S} {line.message}")
    with psycopg.connect(conninfo) as connection:
        status = job_status(connection, job)
    raise typer.Exit(0 if status == "succeeded" else 1)


if __name__ == "__main__":
    app(prog_name="python -m trainer")

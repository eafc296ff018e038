"""Train models: a worker that does it, and a command that asks for it and watches."""

import signal
import sys
from datetime import UTC, datetime
from functools import partial

import psycopg
import typer
from prometheus_client import REGISTRY, start_http_server
from rich.console import Console

from compose.service.assignment import AssignmentError
from compose.service.command_line import run as run_commands
from compose.service.job_progress import progress, show
from compose.service.jobs import JobLine, follow, job_status
from compose.service.log import configure_logging
from trainer.errors import TrainerError
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
    with psycopg.connect(conninfo):  # the queue would try for half a minute
        job = ask(conninfo)
    typer.echo(f"training is job {job}")
    show(follow(conninfo, job), Console(highlight=False))
    with psycopg.connect(conninfo) as connection:
        status = job_status(connection, job)
    raise typer.Exit(0 if status == "succeeded" else 1)


@app.command()
def reproduce(version: str) -> None:
    """Fit a version again from its pinned data, and compare every array with it.

    Exits with 0 if it was reproduced (bit-equal on the same type of CPU, within 1e-9 on
    another), with 1 if it was not, and with 2 if that cannot be found out.
    """
    from trainer.reproduction import reproduce as make_again  # noqa: PLC0415 -- see below

    try:
        with progress(Console(highlight=False)) as tell:
            comparison = make_again(
                Settings(), version, lambda words: tell(JobLine(datetime.now(UTC), words, None))
            )
    except TrainerError as error:
        typer.echo(f"cannot tell: {error}")
        raise typer.Exit(2) from error
    typer.echo(comparison.told())
    raise typer.Exit(0 if comparison.reproduced else 1)


@app.command()
def collect(*, dry_run: bool = False) -> None:
    """Remove versions that are old and unused, as each training does at its end.

    With --dry-run nothing is changed, and what would be is listed.
    """
    from trainer.training import planned_removals, remove_old  # noqa: PLC0415 -- see below

    settings = Settings()
    try:
        with psycopg.connect(settings.conninfo(), autocommit=True) as connection:
            planned = (planned_removals if dry_run else remove_old)(connection, settings)
    except (AssignmentError, TrainerError, OSError) as error:
        typer.echo(f"nothing was removed: {error}")
        raise typer.Exit(1) from error
    for verb, names in (("remove", planned.removed), ("strip", planned.stripped)):
        for name in names:
            typer.echo(f"{'would ' if dry_run else ''}{verb} {name}")


# What fits models takes seconds to import; the commands that serve and ask do without.

if __name__ == "__main__":
    run_commands(partial(app, prog_name="python -m trainer"))

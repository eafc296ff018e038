"""Release, roll back and try model versions: `python -m ci --help`."""

from collections.abc import Callable
from datetime import UTC, datetime
from random import SystemRandom
from threading import Thread
from typing import Annotated

import psycopg
import typer
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.types import JSONValue
from prometheus_client import start_http_server
from rich.console import Console

from ci import metrics
from ci.certificate.chain import Checked, check
from ci.code.commands import cli as code_cli
from ci.errors import RefusedError
from ci.experiment.ends import keep_ending
from ci.first_releases import keep_releasing
from ci.release import records
from ci.release.description import planned
from ci.settings import Settings
from ci.slots.state import BUCKETS
from ci.worker import QUEUE, Quality, clear_up, register
from compose.service.command_line import run as run_commands
from compose.service.job_progress import show
from compose.service.jobs import defer, follow, job_app, job_status, work
from compose.service.log import configure_logging
from monitoring.experiments.assignment import ExperimentKind

cli = typer.Typer(help=__doc__, no_args_is_help=True)
cli.add_typer(code_cli, name="code")

OF_CODE = 4
"""How a rollback ends that has to bring code back, for which it takes the engine."""


@cli.command("work")
def work_command() -> None:
    """Do the releases and rollbacks that are asked for, one at a time, until SIGTERM."""
    configure_logging("releaser")
    settings = Settings()
    metrics.show_all_outcomes()
    start_http_server(settings.metrics_port, settings.metrics_address)
    if settings.schedule == "internal" and settings.release_cron:
        metrics.recur(settings.release_cron, datetime.now(UTC))
    clear_up(settings)
    app = job_app(settings.conninfo())
    register(app, settings)
    if settings.release_cron:  # empty: never by itself
        Thread(target=keep_releasing, args=(settings, QUEUE), daemon=True).start()
    Thread(target=keep_ending, args=(settings, QUEUE), daemon=True).start()
    work(app, QUEUE, settings.heartbeat_file)


@cli.command("release")
def release_command(
    *,
    version: Annotated[
        str | None, typer.Option(help="The model version; else the newest accepted one.")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only print what would be done, and how each is undone.")
    ] = False,
    quality: Annotated[
        Quality,
        typer.Option(help="Whether people judge the version on its way, or it is only guarded."),
    ] = Quality.JUDGE,
) -> None:
    """Release a model version: place, warm, canary, watch, judge, promote or put back.

    People judge it at one share (RELEASE_JUDGE_SHARE) for EVALUATION_HORIZON at least and
    RELEASE_PATIENCE at most: minutes with simulated people, a day or two with real ones.
    Another version's release under way is superseded: it is taken back first.
    Ends with 0 when the version is live, with 1 when it was refused or taken back.
    """
    if plan:
        raise typer.Exit(show_plan(version, quality))
    raise typer.Exit(ask_and_follow("release", lambda _: {"version": version, "quality": quality}))


@cli.command("rollback")
def rollback_command() -> None:
    """Send all traffic back to the previous version; a release under way is stopped instead.

    Ends with 0 when that is done, with 1 when there is nothing to go back to, with 4 when it
    was code that went live last: `make rollback` brings that back.
    """
    with psycopg.connect(Settings().conninfo(), autocommit=True) as connection:
        if records.code_went_live_last(connection):
            raise typer.Exit(OF_CODE)
    raise typer.Exit(
        ask_and_follow(
            "rollback", lambda connection: {"leaving": records.version_to_leave(connection)}
        )
    )


@cli.command("experiment")
def experiment_command(  # noqa: PLR0913, PLR0917 -- each is an option
    challenger: Annotated[str, typer.Argument(help="The model version that is tried.")],
    share: Annotated[
        int, typer.Option(min=1, max=BUCKETS - 1, help="Buckets of 1,000 that get it.")
    ] = 500,
    margin: Annotated[
        float, typer.Option(min=0.001, max=1, help="A smaller relative difference is none.")
    ] = 0.02,
    people: Annotated[
        int, typer.Option(min=100, help="How many people at most; then it ends, decided or not.")
    ] = 20_000,
    name: Annotated[str | None, typer.Option(help="What is tried.")] = None,
    kind: Annotated[
        ExperimentKind,
        typer.Option(help="What people in these buckets get: its lists, or lists of both."),
    ] = ExperimentKind.AB,
) -> None:
    """Try a version on a random share of people, against what is live.

    Interleaving shows each of these people movies of both versions in one list and counts
    whose they watch, so it needs a fraction of the people; how many more watch something, only
    an A/B test tells.

    It takes the slot without traffic until it is decided, has had its people, or is stopped, or
    a release or rollback needs the slot. The live version itself makes an A/A test. Asked again
    with another share, the experiment goes on with that.
    Ends with 0 when it runs, with 1 when it was refused.
    """
    raise typer.Exit(
        ask_and_follow(
            "experiment",
            lambda _: {
                "challenger": challenger,
                "share": share,
                "margin": margin,
                "largest_sample": people,
                "name": name,
                "kind": kind,
                "seed": SystemRandom().randrange(2**31),
            },
        )
    )


@cli.command("experiment-stop")
def experiment_stop_command() -> None:
    """End the experiment that runs: everybody gets the live version.

    Ends with 0 when that is done, with 1 when none runs.
    """
    raise typer.Exit(ask_and_follow("experiment_stop", lambda _: {"reason": "somebody stopped it"}))


@cli.command("certificates")
def certificates_command(
    known: Annotated[
        str | None,
        typer.Option(help="A hash that was noted elsewhere: it must be among them still."),
    ] = None,
) -> None:
    """Look whether a certificate of a release, or a row that it tells of, was changed or removed.

    Whoever can take out the newest ones leaves no trace here: note the last line elsewhere,
    and give its hash as `--known` the next time.
    Ends with 0 when all are as they were issued, with 1 when not, naming each.
    """
    with psycopg.connect(Settings().conninfo(), autocommit=True) as connection:
        raise typer.Exit(tell_certificates(check(connection), known))


def tell_certificates(checked: Checked, known: str | None) -> int:
    """Print what was found; the exit status."""
    problems = list(checked.problems)
    if known and known not in checked.hashes:
        problems.append(f"no certificate has the hash {known}")
    for problem in problems:
        typer.echo(problem, err=True)
    typer.echo(f"{len(checked.hashes)} certificates, {len(problems)} problems")
    if checked.hashes:
        typer.echo(f"newest: {checked.hashes[-1]}")
    return 1 if problems else 0


def show_plan(version: str | None, quality: Quality) -> int:
    """Print what a release would do now; the exit status."""
    settings = Settings()
    try:
        with psycopg.connect(settings.conninfo(), autocommit=True) as connection:
            for line in planned(connection, settings, version, judged=quality is Quality.JUDGE):
                typer.echo(line)
    except RefusedError as error:
        typer.echo(f"would be refused: {error}")
    else:
        return 0
    return 1


def ask_and_follow(
    task: str, arguments: Callable[[psycopg.Connection], dict[str, JSONValue]]
) -> int:
    """Ask the releaser for `task` and print its progress; the exit status."""
    conninfo = Settings().conninfo()
    try:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            job_id = defer(job_app(conninfo), task, QUEUE, **arguments(connection))
            show(follow(conninfo, job_id), Console(highlight=False))
            return 0 if job_status(connection, job_id) == "succeeded" else 1
    except AlreadyEnqueued:
        typer.echo(f"a {task} is waiting already", err=True)
    return 1


if __name__ == "__main__":
    run_commands(cli)

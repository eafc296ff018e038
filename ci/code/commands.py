"""What `make release-code` and `make rollback` ask the releaser: `python -m ci code --help`."""

import time
from collections.abc import Iterator
from typing import Annotated

import psycopg
import typer
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.types import JSONValue
from rich.console import Console

from ci.code.description import planned
from ci.code.rollout import OVERLAP, Asked
from ci.release import records
from ci.settings import Settings
from ci.slots.code import Code, Outcome, code_of, difference, record_code
from ci.slots.state import Slot
from compose.service.job_progress import show
from compose.service.jobs import ENDED, JobLine, defer, follow, job_app, job_status

QUEUE = "release"
POLL_SECONDS = 0.5
GIVEN_UP = 3
VERDICTS = ("promote:", "abort:")
Image = Annotated[str, typer.Argument(help="The name of the image.")]
ImageId = Annotated[str, typer.Argument(help="SHA-256 of what the engine has.")]
Overlap = Annotated[
    float,
    typer.Option(min=0, max=1, help="Mean share of the live lists that its lists must hold."),
]

cli = typer.Typer(
    help="What scripts that have the engine ask whoever moves traffic.", no_args_is_help=True
)


@cli.command("begin")
def begin_command(
    image: Image,
    image_id: ImageId,
    *,
    overlap: Overlap = OVERLAP,
    back: Annotated[bool, typer.Option("--back", help="It ran before: no gates.")] = False,
) -> None:
    """Begin a release of code; wait until a slot is there to be recreated with it.

    Prints the job, the slot, and the model version that the other slot has to load by this code;
    the job and `both` where nothing is live, so both slots are to be recreated.
    Ends with 0, or with 1 when it was refused, has ended, or does not get its turn in time.
    """
    settings = Settings()
    conninfo = settings.conninfo()
    with _connect() as connection:
        asked: dict[str, JSONValue] = vars(Asked(image, image_id, overlap, back))
        try:
            job_id = defer(job_app(conninfo), "release_code", QUEUE, **asked)
        except AlreadyEnqueued as error:
            typer.echo("a release of code is waiting already", err=True)
            raise typer.Exit(1) from error
        if slot := slot_to_recreate(connection, job_id, turn_seconds(settings)):
            typer.echo(f"{job_id} {slot}")
            return
        if records.turn_away(connection, job_id):
            typer.echo("something else was at work for too long (make status)", err=True)
        elif job_status(connection, job_id) in ENDED or ended_by(connection, job_id):
            show(follow(conninfo, job_id), Console(highlight=False, stderr=True))
        else:
            typer.echo(f"its job {job_id} makes no slot free, and will give up", err=True)
        raise typer.Exit(1)


@cli.command("follow")
def follow_command(
    job_id: Annotated[int, typer.Argument(help="The job that `begin` told.")],
) -> None:
    """Print how a release of code goes, until it is live or was given up.

    Ends with 0 when it is live, with 3 when traffic is where it was, with 1 when neither is known.
    """
    with _connect() as connection:
        show(until_verdict(connection, job_id), Console(highlight=False))
        raise typer.Exit(
            {"promote": 0, "abort": GIVEN_UP}.get(ended_by(connection, job_id) or "", 1)
        )


@cli.command("record")
def record_command(
    slot: Annotated[Slot, typer.Argument(help="The slot that got it.")],
    image: Image,
    image_id: ImageId,
    outcome: Annotated[Outcome, typer.Option(help="What became of it.")],
    job_id: Annotated[int | None, typer.Option("--job", help="Its release.")] = None,
) -> None:
    """Record that a slot got other code, which a release may wait for.

    Ends with 0 when that is recorded, with 1 when the database does not answer.
    """
    with _connect() as connection:
        record_code(connection, slot, Code(image, image_id), outcome, job_id)


@cli.command("settle")
def settle_command(
    image: Image,
    image_id: ImageId,
) -> None:
    """Record that both slots run this, if they were not known to run the same.

    Ends with 0 when that is recorded, with 1 when the database does not answer.
    """
    with _connect() as connection:
        if difference(connection):
            for slot in Slot:
                record_code(connection, slot, Code(image, image_id), Outcome.RELEASED)


@cli.command("plan")
def plan_command(
    image: Image,
    overlap: Overlap = OVERLAP,
) -> None:
    """Print what a release of code would do, step by step, and how each is undone."""
    with _connect() as connection:
        for line in planned(connection, Settings(), Asked(image, "", overlap)):
            typer.echo(line)


@cli.command("newest")
def newest_command() -> None:
    """Print the step by which what is live went live, what that belonged to, and its slot."""
    with _connect() as connection:
        live, promoted = records.deployed(connection).live, records.went_live_by(connection)
        if live and promoted:
            step_id, action = promoted
            typer.echo(f"{step_id} {live.slot} {action}")


def _connect() -> psycopg.Connection:
    return psycopg.connect(Settings().conninfo(), autocommit=True)


def turn_seconds(settings: Settings) -> float:
    """How long a release of code waits for its turn: as long as a rollback may take."""
    return settings.release_code_seconds + settings.release_ready_seconds


def slot_to_recreate(connection: psycopg.Connection, job_id: int, seconds: float) -> str | None:
    """Wait for the job's turn and its first step, which says what is to be recreated.

    Returns None where it has ended before, or these seconds are over.
    """
    last_look = time.monotonic() + seconds
    while not ended_by(connection, job_id) and job_status(connection, job_id) not in ENDED:
        if slot := told_slot(connection, job_id):
            return slot
        if time.monotonic() > last_look:
            break
        time.sleep(POLL_SECONDS)
    return None


def told_slot(connection: psycopg.Connection, job_id: int) -> str | None:
    """What a release says is to be recreated, and by which version that is ready afterwards."""
    row = connection.execute(
        "SELECT slot FROM deployment WHERE job_id = %s AND step = 'place'", (job_id,)
    ).fetchone()
    standby = records.deployed(connection).standby
    if row and standby:
        return f"{row[0]} {standby.version}"
    return "both" if code_of(connection, job_id) else None


def until_verdict(connection: psycopg.Connection, job_id: int) -> Iterator[JobLine]:
    """The job's lines up to that which says how it ended for people; it may go on for slots."""
    for line in follow(Settings().conninfo(), job_id):
        yield line
        if line.message.startswith(VERDICTS) and ended_by(connection, job_id):
            return


def ended_by(connection: psycopg.Connection, job_id: int) -> str | None:
    """The last step of a release, if it was taken."""
    last = records.last_step(connection, job_id)
    return last.step if last and last.ended else None

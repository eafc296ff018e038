"""Back everything up, and put a backup back: `python -m compose.backup --help`."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from procrastinate.exceptions import AlreadyEnqueued
from prometheus_client import REGISTRY, start_http_server
from pydantic_settings import BaseSettings
from rich.console import Console

from compose.backup.archive import unpack
from compose.backup.backup import MIB
from compose.backup.database import restore
from compose.backup.errors import BackupError, IncompleteError
from compose.backup.folder import (
    DATABASE,
    FILES,
    MODELS,
    SECRETS,
    STATE,
    check,
    finished,
    read_manifest,
    size,
)
from compose.backup.metrics import BackupMetrics
from compose.backup.settings import Settings
from compose.backup.worker import QUEUE, TASK, backup_app
from compose.service.command_line import run as run_commands
from compose.service.database import DatabaseSettings
from compose.service.job_progress import progress, show
from compose.service.jobs import JobLine, defer, follow, job_app, job_status, work
from compose.service.log import configure_logging

NICENESS = 10
Folder = Annotated[Path, typer.Argument(help="A backup: a folder with SHA256SUMS in it.")]

cli = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)


class Places(BaseSettings):
    """The folders that a restore fills: the volumes of models, state and secrets."""

    secrets: Path = Path("/run/secrets")
    models: Path = Path("/var/lib/marquee/models")
    state: Path = Path("/var/lib/marquee/state")


@cli.command("work")
def work_command() -> None:
    """Take the backups that are asked for, and one at BACKUP_CRON, until SIGTERM."""
    configure_logging("backup")
    os.nice(NICENESS)
    settings = Settings()
    schedule = settings.backup_cron if settings.scheduled else None
    metrics = BackupMetrics(REGISTRY, schedule, lambda: datetime.now(UTC))
    metrics.show(settings.backups, settings.project)
    start_http_server(settings.metrics_port)
    app = backup_app(settings, metrics, lambda: datetime.now(UTC))
    work(app, QUEUE, settings.heartbeat_file)


@cli.command()
def take() -> None:
    """Ask the worker for a backup and follow it; ends with 0 when it is whole, else with 1."""
    conninfo = Settings().conninfo()
    try:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            job_id = defer(job_app(conninfo), TASK, QUEUE)
            show(follow(conninfo, job_id), Console(highlight=False))
            raise typer.Exit(0 if job_status(connection, job_id) == "succeeded" else 1)
    except AlreadyEnqueued:
        typer.echo("a backup is waiting already", err=True)
    raise typer.Exit(1)


@cli.command("list")
def list_command() -> None:
    """Show the whole backups of this stack, the oldest first."""
    settings = Settings()
    for folder in finished(settings.backups, settings.project):
        typer.echo(f"{folder.name}  {size(folder) / MIB:9,.1f} MiB  {_told(folder)}")


def _told(folder: Path) -> str:
    try:
        manifest = read_manifest(folder)
    except BackupError as error:
        return str(error)
    return f"{manifest.lines:12,} lines  live {manifest.live_version or 'nothing'}"


@cli.command("check")
def check_command(folder: Folder) -> None:
    """Read all of a backup and say whether it is whole; ends with 1 where it is not."""
    show(_by_size(folder, FILES, check(folder), "is whole"), Console(highlight=False))
    manifest = read_manifest(folder)
    typer.echo(
        f"{manifest.project} at {manifest.taken_at}: {manifest.lines:,} lines, live"
        f" {manifest.live_version or 'nothing'}, database {manifest.revision},"
        f" code {manifest.git_commit}"
    )


@cli.command("restore-files")
def restore_files(folder: Folder) -> None:
    """Write secrets, models and state onto their volumes, which must be empty."""
    places = Places()
    targets = {SECRETS: places.secrets, MODELS: places.models, STATE: places.state}
    written = _unpacked(folder, targets)
    show(_by_size(folder, tuple(targets), written, "is back"), Console(highlight=False))


def _unpacked(folder: Path, targets: Mapping[str, Path]) -> Iterator[str]:
    """Write each archive to where it belongs; yields its name then."""
    for archive, target in targets.items():
        try:
            unpack(folder / archive, target)
        except OSError as error:
            raise IncompleteError(f"{archive} could not be put back: {error}") from error
        yield archive


def _by_size(
    folder: Path, names: Sequence[str], done: Iterable[str], words: str
) -> Iterator[JobLine]:
    """A line for each file of a backup that is done, and the share of all bytes that is."""
    sizes = {name: file.stat().st_size for name in names if (file := folder / name).is_file()}
    passed = 0
    for name in done:
        passed += sizes[name]
        yield JobLine(datetime.now(UTC), f"{name} {words}", passed / sum(sizes.values()))


@cli.command("restore-database")
def restore_database(folder: Folder) -> None:
    """Put the dump in the database's place, whole or not at all; connects as the owner."""
    with progress(Console(highlight=False)) as tell:
        tell(JobLine(datetime.now(UTC), f"reading {DATABASE}", None))
        restore(DatabaseSettings().conninfo(), folder / DATABASE)
        tell(JobLine(datetime.now(UTC), f"{DATABASE} is back", None))


if __name__ == "__main__":
    run_commands(cli, BackupError)

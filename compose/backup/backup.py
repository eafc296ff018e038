"""Takes a backup while everything runs: database, models, state and secrets of one moment.

The database is read as it was at one moment. The volumes cannot be, so what they and the
database say of each other is noted before and after they are copied, and where that changed,
all is copied again. A release under way is copied as a host would leave it that went down
then: the releaser puts the traffic back when it starts.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

import psycopg

from compose.backup.archive import pack
from compose.backup.database import Snapshot, dump, snapshot
from compose.backup.errors import ChangingError, IncompleteError
from compose.backup.folder import (
    DATABASE,
    MODELS,
    SECRETS,
    STATE,
    Manifest,
    begin,
    finish,
    finished,
    prune,
    size,
)
from compose.backup.settings import Settings
from compose.service.assignment import AssignmentError, assigned_versions

ATTEMPTS = 3
TOLD = 20
"""So many times at most it is told how far a backup is."""
MIB = 2**20
LEFT_OUT = (".dvc/tmp", "search")
"""Of the models volume: what a training that is under way keeps for itself."""


@dataclass(frozen=True)
class Run:
    """What a backup has from outside, and whom it tells."""

    settings: Settings
    clock: Callable[[], datetime]
    say: Callable[[str], None]
    should_stop: Callable[[], bool]
    tell_share: Callable[[str, float], None] = lambda _words, _share: None
    """Told in words, and as a share, how far it is."""


@dataclass(frozen=True)
class Mark:
    """What changes when a release or a training changes the volumes."""

    deployment_step: int
    versions: frozenset[str]
    pins: bytes


def back_up(run: Run) -> Path:
    """Take one backup and delete the ones that are too old; the folder of the new one.

    Raises:
        ChangingError: releases or trainings changed the volumes each time.
        IncompleteError: what is to be copied is not whole, or could not be written.
        psycopg.Error: the database cannot be read.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            folder = _take(run)
            break
        except ChangingError as error:
            if attempt == ATTEMPTS:
                raise
            run.say(f"{error}; copying all of it again")
    _prune(run, folder)
    return folder


def _prune(run: Run, taken: Path) -> None:
    settings = run.settings
    try:
        for name in prune(settings.project, taken, settings.backup_keep):
            run.say(f"deleted {name}: {settings.backup_keep} newer ones are kept")
    except OSError as error:  # the next begins by deleting what is left of it
        run.say(f"older ones could not be deleted: {error}")


def _take(run: Run) -> Path:
    begun = run.clock()
    try:
        unfinished = begin(run.settings.backups, run.settings.project, begun)
        try:
            return finish(unfinished, _fill(unfinished, _telling(run, unfinished), begun))
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)  # once whole, it has another name
    except OSError as error:
        raise IncompleteError(f"it could not be written: {error}") from error


def _telling(run: Run, folder: Path) -> Run:
    """A run that tells how far it is whenever it is asked whether to stop, by the last one's size.

    Before there is one, nobody knows how small a dump becomes.
    """
    last = finished(run.settings.backups, run.settings.project)[-1:]
    expected = sum(map(size, last))
    told = 0

    def should_stop() -> bool:
        nonlocal told
        parts = min(TOLD - 1, size(folder) * TOLD // expected) if expected else 0
        if parts > told:
            told = parts
            run.tell_share(f"{parts / TOLD:.0%} of what the last backup took", parts / TOLD)
        return run.should_stop()

    return replace(run, should_stop=should_stop)


def _fill(folder: Path, run: Run, begun: datetime) -> Manifest:
    settings, conninfo, clock = run.settings, run.settings.conninfo(), time.monotonic()
    before = _mark(settings)
    with snapshot(conninfo) as seen:
        manifest = _manifest(settings, seen, begun)
        _copy_volumes(folder, run, seen.model_versions())
        if _mark(settings) != before:
            raise ChangingError("a release or a training changed what was being copied")
        _told(run, folder / DATABASE, lambda to: dump(conninfo, seen.identity, to, run.should_stop))
    return manifest(time.monotonic() - clock)


def _manifest(settings: Settings, seen: Snapshot, begun: datetime) -> Callable[[float], Manifest]:
    def after(seconds: float) -> Manifest:
        return Manifest(
            project=settings.project,
            taken_at=begun.isoformat(),
            seconds=round(seconds, 3),
            git_commit=settings.git_commit,
            revision=revision,
            live_version=live,
            lines=lines,
        )

    revision, live, lines = seen.revision(), seen.live_version(), seen.lines()
    return after


def _copy_volumes(folder: Path, run: Run, recorded: frozenset[str]) -> None:
    settings = run.settings
    _check_versions(settings, recorded)

    def unrecorded(path: PurePosixPath) -> bool:
        if run.should_stop():
            raise IncompleteError("it was told to stop")
        of_version = path.parts[:1] == ("versions",) and len(path.parts) > 1
        return str(path) in LEFT_OUT or (of_version and path.parts[1] not in recorded)

    _told(run, folder / STATE, lambda to: pack(settings.state, to, lambda _path: False))
    _told(run, folder / SECRETS, lambda to: pack(settings.secrets, to, lambda _path: False))
    _told(run, folder / MODELS, lambda to: pack(settings.models, to, unrecorded))


def _check_versions(settings: Settings, recorded: frozenset[str]) -> None:
    try:
        assigned = assigned_versions(settings.state)
    except AssignmentError as error:
        raise IncompleteError(f"{error}; release a version first: make release") from error
    for version in assigned:
        if version not in recorded or not (settings.models / "versions" / version).is_dir():
            raise IncompleteError(
                f"a slot is told to run {version}, which the database or the models volume lacks;"
                " release another version first: make release"
            )


def _told(run: Run, target: Path, copy: Callable[[Path], None]) -> None:
    begun = time.monotonic()
    copy(target)
    taken = time.monotonic() - begun
    run.say(f"{target.name}: {target.stat().st_size / MIB:,.1f} MiB in {taken:.1f} s")


def _mark(settings: Settings) -> Mark:
    with psycopg.connect(settings.conninfo(), autocommit=True) as connection:
        row = connection.execute("SELECT coalesce(max(step_id), 0) FROM deployment").fetchone()
    versions = settings.models / "versions"
    names = {path.name for path in versions.iterdir()} if versions.is_dir() else set()
    branch = settings.models / ".git" / "refs" / "heads" / "main"
    return Mark(
        deployment_step=int(row[0]) if row else 0,
        versions=frozenset(name for name in names if not name.startswith(".")),
        pins=branch.read_bytes() if branch.is_file() else b"",
    )


def told(folder: Path, manifest: Manifest) -> str:
    """One line on a backup that was taken, for people."""
    return (
        f"{folder.name}: {size(folder) / MIB:,.1f} MiB in {manifest.seconds:.1f} s, whole;"
        f" {manifest.lines:,} lines, live {manifest.live_version or 'nothing yet'}"
    )

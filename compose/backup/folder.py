"""A backup as a folder: its files, their checksums, what it says of itself.

    <project>-20260131-020000/
        database.dump   what `pg_dump --format=custom` wrote
        models.tar      the model versions that the database knows, with git's and DVC's pins
        state.tar       what each slot runs and how the traffic is split
        secrets.tar     every password and certificate, and the settings
        manifest.json   what it is a backup of
        SHA256SUMS      of each file above; written last, so without it nothing is whole

All of it is readable by its owner alone.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from compose.backup.errors import DamagedError, NewerError
from compose.service.whole_files import remove, sync

SCHEMA = 1
DATABASE, MODELS, STATE, SECRETS = "database.dump", "models.tar", "state.tar", "secrets.tar"
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
FILES = (DATABASE, MODELS, STATE, SECRETS, MANIFEST)
UNFINISHED = ".unfinished-"


@dataclass(frozen=True)
class Manifest:
    """What a backup is of: manifest.json, key by key."""

    project: str
    taken_at: str
    """The moment that the database is from, ISO 8601, UTC."""
    seconds: float
    """How long taking it took."""
    git_commit: str
    """Of the code that took it; a checkout of it, or of a later one, restores it."""
    revision: str
    """The Alembic revision that the database was at."""
    live_version: str | None
    lines: int
    """Lines of the stream that had landed."""
    schema: int = SCHEMA

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read manifest.json.

        Raises:
            NewerError: its schema is later than this code's.
            DamagedError: it is no manifest.
        """
        try:
            content = json.loads(text)
            schema = int(content["schema"])
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedError(f"{MANIFEST} is none") from error
        if schema > SCHEMA:
            raise NewerError(f"{MANIFEST} has schema {schema}, and this code reads {SCHEMA}")
        if content.keys() != {each.name for each in fields(cls)}:
            raise DamagedError(f"{MANIFEST} has not the keys of its schema")
        return cls(**content)

    def text(self) -> bytes:
        """UTF-8 of the file `manifest.json`; the inverse of `parse`."""
        return (json.dumps(asdict(self), indent=2) + "\n").encode()


def name_of(project: str, now: datetime) -> str:
    """The name of a backup taken now: names of one project sort by time."""
    return f"{project}-{now.astimezone(UTC):%Y%m%d-%H%M%S}"


def finished(backups: Path, project: str) -> list[Path]:
    """The whole backups of a project, oldest first; a copy that was cut off is none."""
    return [path for path in _named(backups, project) if (path / SUMS).is_file()]


def _named(backups: Path, start: str) -> list[Path]:
    """The folders that such a start and a time name: none of a project whose name is longer."""
    name = re.compile(re.escape(start) + r"-\d{8}-\d{6}")
    if not backups.is_dir():
        return []
    return sorted(path for path in backups.iterdir() if name.fullmatch(path.name) and path.is_dir())


def begin(backups: Path, project: str, now: datetime) -> Path:
    """An empty folder to write a backup into; whatever an earlier one left unfinished is gone.

    Where there is a backup of that second, the next free one names it: two stay two, in order.
    """
    backups.mkdir(parents=True, exist_ok=True)
    for left in _named(backups, f"{UNFINISHED}{project}"):
        remove(left)
    while (backups / name_of(project, now)).exists():
        now += timedelta(seconds=1)
    folder = backups / f"{UNFINISHED}{name_of(project, now)}"
    folder.mkdir(mode=0o700)
    return folder


def finish(unfinished: Path, manifest: Manifest) -> Path:
    """Write manifest and checksums, and give the folder its name: from here on it is whole."""
    _write(unfinished / MANIFEST, manifest.text())
    sums = "".join(f"{sha256(unfinished / name)}  {name}\n" for name in FILES)
    _write(unfinished / SUMS, sums.encode())
    for name in FILES:
        sync(unfinished / name)
    sync(unfinished)
    folder = unfinished.with_name(unfinished.name.removeprefix(UNFINISHED))
    unfinished.rename(folder)
    sync(folder.parent)
    return folder


def prune(project: str, taken: Path, keep: int) -> list[str]:
    """Delete all backups of a project but the one just taken and the newest; the names deleted.

    Whatever its name: a clock that was wrong once may have left some with a later one.
    """
    others = [folder for folder in finished(taken.parent, project) if folder != taken]
    leaving = others[: max(0, len(others) - keep + 1)]
    for folder in leaving:
        doomed = folder.with_name(f"{UNFINISHED}{folder.name}")
        folder.rename(doomed)  # half deleted, it must not pass for a whole one
        shutil.rmtree(doomed)
    return [folder.name for folder in leaving]


def check(folder: Path) -> Iterator[str]:
    """Compare each file with its checksum; yields each one's name once it proved whole.

    Raises:
        DamagedError: one is missing, cut off or changed, or the backup was never finished.
    """
    stated = _stated(folder)
    for name in FILES:
        if name not in stated:
            raise DamagedError(f"{folder}: {SUMS} does not list {name}")
        if not (folder / name).is_file():
            raise DamagedError(f"{folder}: {name} is missing")
        if sha256(folder / name) != stated[name]:
            raise DamagedError(f"{folder}: {name} is not what was written; is the copy complete?")
        yield name


def _stated(folder: Path) -> dict[str, str]:
    try:
        text = (folder / SUMS).read_text()
    except FileNotFoundError as error:
        raise DamagedError(f"{folder}: no whole backup: {SUMS} is missing") from error
    except UnicodeDecodeError as error:
        raise DamagedError(f"{folder}: {SUMS} is not what was written") from error
    return {
        name: digest for digest, _, name in (line.partition("  ") for line in text.splitlines())
    }


def read_manifest(folder: Path) -> Manifest:
    """What a backup is of; `check` it first.

    Raises:
        DamagedError: its manifest is missing or none.
        NewerError: later code wrote it.
    """
    try:
        return Manifest.parse((folder / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise DamagedError(f"{folder}: {MANIFEST} is missing") from error


def size(folder: Path) -> int:
    """What a backup takes on the disk, in bytes."""
    return sum(path.stat().st_size for path in folder.iterdir())


def sha256(path: Path) -> str:
    """Of a whole file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)

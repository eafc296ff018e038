"""The file on the state volume that tells a slot which model version to run.

The releaser writes it; the slot polls it, the trainer keeps what it names, and a backup checks
that it copied that.
"""

import json
from datetime import datetime
from pathlib import Path

from compose.service.whole_files import write_whole


class AssignmentError(ValueError):
    """A slot's file does not say which version the slot is to run."""


def assignment_file(state: Path, slot: str) -> Path:
    """Where a slot's assignment stands on the state volume."""
    return state / "slots" / f"{slot}.json"


def assign(file: Path, version: str, now: datetime) -> None:
    """Tell a slot which model version to run."""
    content = {"model_version": version, "assigned_at": now.isoformat()}
    write_whole(file, json.dumps(content).encode() + b"\n")


def assigned_version(file: Path) -> str | None:
    """The model version that a slot was last told to run; None before the first.

    Raises:
        AssignmentError: the file names none, or something that is no version's name.
    """
    try:
        version = json.loads(file.read_bytes())["model_version"]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise AssignmentError(f"{file.name} names no model version: {error}") from error
    if not isinstance(version, str) or not version or Path(version).name != version:
        raise AssignmentError(f"{file.name} names no model version: {version!r}")
    return version


def assigned_versions(state: Path) -> set[str]:
    """The model versions that any slot is told to run.

    Raises:
        AssignmentError: a file cannot be understood, so nobody can say which they are.
    """
    files = (path for path in (state / "slots").glob("*.json") if not path.name.startswith("."))
    return {version for path in files if (version := assigned_version(path)) is not None}

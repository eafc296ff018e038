"""The file on the state volume that tells a slot which model version to run.

The releaser writes it; the slot polls it, the trainer keeps what it names, and a backup checks
that it copied that.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from compose.service.whole_files import write_whole


class AssignmentError(ValueError):
    """A slot's file does not say which version the slot is to run."""


@dataclass(frozen=True)
class Interleaved:
    """A second version, and the buckets of people whose lists are drafted from both."""

    version: str
    buckets: frozenset[int]


@dataclass(frozen=True)
class Assignment:
    """The version that a slot is to run, and one beside it while lists are interleaved."""

    version: str
    interleaved: Interleaved | None = None

    @property
    def versions(self) -> set[str]:
        """What the slot is to hold."""
        return {self.version, self.interleaved.version} if self.interleaved else {self.version}


def assignment_file(state: Path, slot: str) -> Path:
    """Where a slot's assignment stands on the state volume."""
    return state / "slots" / f"{slot}.json"


def assign(file: Path, version: str, now: datetime, interleaved: Interleaved | None = None) -> None:
    """Tell a slot which model version to run, and which one beside it."""
    content: dict[str, object] = {"model_version": version, "assigned_at": now.isoformat()}
    if interleaved:
        buckets = sorted(interleaved.buckets)
        content["interleaved"] = {"model_version": interleaved.version, "buckets": buckets}
    write_whole(file, json.dumps(content).encode() + b"\n")


def read_assignment(file: Path) -> Assignment | None:
    """What a slot was last told to run; None before the first.

    Raises:
        AssignmentError: the file names no version, or something that is no version's name.
    """
    try:
        said = json.loads(file.read_bytes())
        interleaved = said.get("interleaved")
        return Assignment(_version(said), _interleaved(interleaved) if interleaved else None)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AssignmentError(f"{file.name} names no model version: {error}") from error


def _version(said: dict[str, Any]) -> str:
    version = said["model_version"]
    if not isinstance(version, str) or not version or Path(version).name != version:
        raise ValueError(repr(version))
    return version


def _interleaved(said: dict[str, Any]) -> Interleaved:
    return Interleaved(_version(said), frozenset(map(int, said["buckets"])))


def assigned_version(file: Path) -> str | None:
    """The model version that a slot was last told to run; None before the first.

    Raises:
        AssignmentError: the file names none, or something that is no version's name.
    """
    assignment = read_assignment(file)
    return assignment.version if assignment else None


def assigned_versions(state: Path) -> set[str]:
    """The model versions that any slot is told to hold.

    Raises:
        AssignmentError: a file cannot be understood, so nobody can say which they are.
    """
    files = (path for path in (state / "slots").glob("*.json") if not path.name.startswith("."))
    return set().union(
        *(assignment.versions for path in files if (assignment := read_assignment(path)))
    )

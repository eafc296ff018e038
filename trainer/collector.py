"""Which versions are kept: the newest, and whatever is or may soon be answering."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from trainer.artifact import remove_version, version_names


def assigned(slots: Path) -> set[str]:
    """The versions that the slots are told to hold, by their files on the state volume."""
    return {json.loads(path.read_bytes())["model_version"] for path in slots.glob("*.json")}


def obsolete(names: Sequence[str], keep: int, needed: Iterable[str]) -> list[str]:
    """The versions that may go.

    Args:
        names: every version, oldest first.
        keep: how many of the newest stay.
        needed: what stays however old it is.
    """
    newest = names[max(0, len(names) - keep) :]
    return [name for name in names if name not in {*newest, *needed}]


def collect(versions: Path, keep: int, needed: Iterable[str]) -> list[str]:
    """Remove the versions that may go; their names."""
    leaving = obsolete(version_names(versions), keep, needed)
    for name in leaving:
        remove_version(versions, name)
    return leaving

"""The files on the state volume: which model each slot runs, and which users go to which slot.

Slots and Nginx read them at any moment and a release may be killed at any moment, so every
file is written whole beside its place and renamed over it. Readers see the old or the new.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path

BUCKETS = 1000
SPLITS_KEPT = 5


class Slot(StrEnum):
    """One of the two places where a model answers."""

    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> "Slot":
        """The slot that is not this one."""
        return Slot.GREEN if self is Slot.BLUE else Slot.BLUE


def assign(root: Path, slot: Slot, version: str, now: datetime) -> None:
    """Tell a slot which model version to run; it polls this file."""
    content = {"model_version": version, "assigned_at": now.isoformat()}
    write_whole(_assignment(root, slot), json.dumps(content).encode() + b"\n")


def assigned(root: Path, slot: Slot) -> str | None:
    """The model version a slot was last told to run; None before the first."""
    path = _assignment(root, slot)
    return str(json.loads(path.read_bytes())["model_version"]) if path.exists() else None


def _assignment(root: Path, slot: Slot) -> Path:
    return root / "slots" / f"{slot}.json"


@cache
def canary_order(version: str) -> tuple[int, ...]:
    """All buckets in the order in which a release of `version` moves them.

    Fixed for a version, so that a growing share keeps the users who are on it; different
    between versions, so that it is not always the same users who go first.
    """
    return tuple(
        sorted(
            range(BUCKETS),
            key=lambda bucket: hashlib.sha256(f"{version}/{bucket}".encode()).digest(),
        )
    )


def green_buckets(slot: Slot, version: str, share: int) -> frozenset[int]:
    """The buckets that belong on green when `version` in `slot` gets `share` of 1,000."""
    moved = frozenset(canary_order(version)[:share])
    return moved if slot is Slot.GREEN else frozenset(range(BUCKETS)) - moved


def send_to_green(root: Path, buckets: Iterable[int]) -> None:
    """Send exactly these buckets to green and all others to blue, by one rename."""
    directory = _new_split(root, buckets)
    live = _live_split(root)
    live.parent.mkdir(exist_ok=True)
    temporary = live.with_name(".tmp-live")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(Path("..") / "splits" / directory.name)
    rename(temporary, live)
    _prune_splits(root)


def sent_to_green(root: Path) -> frozenset[int]:
    """The buckets that Nginx sends to green now."""
    live = _live_split(root)
    return (
        frozenset(int(marker.name) for marker in live.iterdir()) if live.exists() else frozenset()
    )


def _live_split(root: Path) -> Path:
    return root / "split" / "live"


def _new_split(root: Path, buckets: Iterable[int]) -> Path:
    splits = root / "splits"
    splits.mkdir(parents=True, exist_ok=True)
    temporary = splits / ".tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    for bucket in buckets:
        (temporary / f"{bucket:03}").touch()
    sync(temporary)
    directory = splits / f"{max(_split_numbers(root), default=0) + 1:08}"
    rename(temporary, directory)
    return directory


def _prune_splits(root: Path) -> None:
    for number in sorted(_split_numbers(root))[:-SPLITS_KEPT]:
        shutil.rmtree(root / "splits" / f"{number:08}")


def _split_numbers(root: Path) -> list[int]:
    return [int(path.name) for path in (root / "splits").iterdir() if path.name.isdigit()]


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that whoever reads it sees all of the old or all of the new content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{path.name}")
    write_synced(temporary, content)
    rename(temporary, path)


def write_synced(path: Path, content: bytes) -> None:
    """Write a file that is on the disk when this returns."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def rename(source: Path, target: Path) -> None:
    """Put one in the place of the other; it has happened for good when this returns."""
    source.replace(target)
    sync(target.parent)


def sync(directory: Path) -> None:
    """Wait until the names in a directory are on the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

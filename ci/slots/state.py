"""The slots, and which users go to which: markers on the state volume, one for each bucket.

Nginx reads them at any moment and a release may be killed at any moment, so a split is written
whole beside its place and renamed over it. Readers see the old or the new.
"""

import shutil
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from pathlib import Path

from compose.service.whole_files import BESIDE, remove, rename, sync
from monitoring.experiments.assignment import draw_order

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


@cache
def canary_order(version: str, seed: int = 0) -> tuple[int, ...]:
    """All buckets in the order in which a release of `version` moves them.

    Fixed for a release, so that a growing share keeps the users who are on it; different
    between versions, and by `seed` between releases of one version, so that it is not always
    the same users who go first, and what they thought of it once is not asked twice.
    """
    return draw_order(version, seed)


def green_buckets(slot: Slot, version: str, share: int, seed: int = 0) -> frozenset[int]:
    """The buckets that belong on green when `version` in `slot` gets `share` of 1,000."""
    moved = frozenset(canary_order(version, seed)[:share])
    return moved if slot is Slot.GREEN else frozenset(range(BUCKETS)) - moved


def send_to_green(root: Path, buckets: Iterable[int]) -> None:
    """Send exactly these buckets to green and all others to blue, by one rename."""
    directory = _new_split(root, buckets)
    live = _live_split(root)
    live.parent.mkdir(exist_ok=True)
    temporary = live.with_name(f"{BESIDE}live")
    remove(temporary)
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
    remove(temporary)
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

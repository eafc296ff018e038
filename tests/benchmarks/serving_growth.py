"""How a slot grows with its users: from its start to ready, and the memory it cannot give back."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.benchmarks.serving_versions import VERSION, publish
from tests.integration.serving import RunningSlot, Slots, assign, get
from tests.waiting import eventually

USERS = {"1k": 1_000, "100k": 100_000, "1m": 1_000_000}
ASKED = 2_000


def growth(folder: Path, conninfo: str) -> dict[str, tuple[float, str]]:
    """Seconds and MiB for each number of users."""
    figures: dict[str, tuple[float, str]] = {}
    for name, users in USERS.items():
        seconds, mebibytes = one_size(folder / name, conninfo, users)
        figures[f"ready_s_{name}"] = (seconds, "s")
        figures[f"memory_mib_{name}"] = (mebibytes, "MiB")
    return figures


def one_size(folder: Path, conninfo: str, users: int) -> tuple[float, float]:
    """Start a slot on a version of so many users, and ask it for some of them."""
    folder.mkdir()
    slots = Slots(folder, conninfo)
    publish(slots.models, users)
    assign(slots.state, "blue", VERSION)
    begun = time.monotonic()
    slot = slots.start("blue")
    try:
        eventually(lambda: slot.answers_with(VERSION), seconds=120)
        seconds = time.monotonic() - begun
        for number in range(ASKED):
            get(slot.port, f"/recommend/{number * users // ASKED + 1}")
        return seconds, anonymous_mebibytes(slot)
    finally:
        slots.end()


def anonymous_mebibytes(slot: RunningSlot) -> float:
    """Memory of its own; the mapped files of the model are the page cache's, and given back."""
    return sum(_anonymous_kibibytes(pid) for pid in _group(slot.process.pid)) / 1024


def _group(leader: int) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getpgid(int(folder.name)) == leader:
                yield int(folder.name)


def _anonymous_kibibytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon"))

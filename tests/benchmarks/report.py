"""How a benchmark leaves its figures: a line each for people, and a file for whoever compares."""

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

Figures = dict[str, tuple[float, str]]
"""Value and unit of each figure, by its name."""


def measured_commit() -> str:
    """The commit of this checkout; an image has no checkout, and is told its commit."""
    if told := os.environ.get("GIT_COMMIT"):
        return told
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def peak_rss_mib() -> float:
    """The most memory of this process; what `getrusage` tells may be of the one that began it."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)[1]) / 1024  # type: ignore[index] # proc(5) has it


def progress(message: str) -> None:
    """Tell people what is being done; figures alone go to standard output."""
    print(message, file=sys.stderr, flush=True)  # noqa: T201 -- what a benchmark is for


def write(benchmark: str, measured: Figures, runs: int, commit: str) -> None:
    """Print a line a figure and keep them all in build/bench."""
    for name, (value, unit) in measured.items():
        print(f"{name}: {value:.4g} {unit}".rstrip())  # noqa: T201 -- what a benchmark is for
    report = {
        "figures": [
            {"name": name, "value": value, "unit": unit} for name, (value, unit) in measured.items()
        ],
        "runs": runs,
        "machine": f"{os.cpu_count()} cores, {platform.processor() or platform.machine()}",
        "commit": commit,
    }
    target = ROOT / "build" / "bench" / f"{benchmark}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(report, indent=2) + "\n")

"""Releases in figures: what swaps cost callers, how long a rollback takes, the usual ways beside.

    python -m tests.benchmarks.release [--scale small|full]

Real slots, Nginx and PostgreSQL share one machine with the callers, half of whom open a
connection for each request. A swap is a whole release with the shortest gates; receipts are on,
and a training goes on beside the swaps that are counted. Latency windows with and without swaps
take turns. Writes build/bench/release.json; small takes about 5 minutes, full
about 20.
"""

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import typer

from ci.certificate.contents import failing_share_at_most
from tests.benchmarks.release_rollbacks import rollbacks
from tests.benchmarks.release_swaps import Swap, asked, next_version, releaser
from tests.benchmarks.release_usual_ways import usual_ways
from tests.benchmarks.report import Figures, measured_commit, write
from tests.benchmarks.serving_training import load_movielens, training_beside
from tests.integration.real_releases import USERS, RealStage, real_stage
from tests.integration.serving import get
from tests.stores import as_role, migrated_database
from tests.waiting import eventually

KILLED_AT = ("start", "place", "ready", "replay", "shift", "watch")


@dataclass(frozen=True)
class Scale:
    """How much is played."""

    swaps: int
    rate: float
    """Requests a second."""
    windows: int
    window_seconds: float
    kills: int
    """At each step."""
    usual: int
    """Swaps by each of the usual ways."""


SCALES = {"small": Scale(10, 150, 3, 4, 1, 5), "full": Scale(100, 400, 10, 15, 3, 20)}


def main(scale: str = "small") -> None:
    """Measure, print, and write build/bench/release.json."""
    size = SCALES[scale]
    commit = measured_commit()
    with migrated_database("bench") as name, tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        load_movielens(as_role(name, "marquee"))
        roles = as_role(name, "releaser"), as_role(name, "recommender")
        with real_stage(folder, *roles) as stage:
            with releaser(stage) as swap:
                with training_beside(folder, as_role(name, "trainer")):
                    counted = swaps(stage, swap, size)
                figures = {
                    **counted,
                    **latency(stage, swap, size),
                    **rollbacks(stage, swap, size.rate, size.windows, folder),
                }
            figures |= {
                **kills(stage, size),
                **usual_ways(stage, name, size.rate, size.usual, folder),
            }
    write("release", figures, size.windows, commit)


def swaps(stage: RealStage, swap: Swap, size: Scale) -> Figures:
    """Whole releases under load, one after the other."""
    with asked(stage.port, size.rate) as answered:
        seconds = [swap() for _ in range(size.swaps)]
    failed, requests = answered.failed, answered.requests
    figures: Figures = {
        "swaps": (size.swaps, ""),
        "swap_requests": (requests, ""),
        "failed": (failed, ""),
        "swap_lists_by_nginx": (lists_by_nginx(stage, requests), ""),
        "swap_slowest_ms": (answered.slowest_seconds * 1000, "ms"),
        "model_release_s": (median(seconds), "s"),
    }
    for what, trials in (("requests", requests), ("swaps", size.swaps)):
        bound = failing_share_at_most(failed, trials)
        if bound is not None:
            figures[f"failing_{what}_share_at_most"] = (bound, "")
    return figures


def lists_by_nginx(stage: RealStage, requests: int) -> int:
    """How many of the answers until now Nginx made itself, since no slot did in time."""
    eventually(lambda: len(stage.door.requests()) >= requests, 30, "Nginx's log of all requests")
    return sum(line["list"] in ("nginx", "share") for line in stage.door.requests())


def latency(stage: RealStage, swap: Swap, size: Scale) -> Figures:
    """The 99th percentile during swaps over that without, window by window."""
    calm, swapping = [], []
    for _ in range(size.windows):
        with asked(stage.port, size.rate) as answered:
            time.sleep(size.window_seconds)
        calm.append(answered.percentile(0.99))
        with asked(stage.port, size.rate) as answered:
            ends = time.monotonic() + size.window_seconds
            while time.monotonic() < ends:
                swap()
        swapping.append(answered.percentile(0.99))
    ratios = [with_swaps / without for with_swaps, without in zip(swapping, calm, strict=True)]
    return {
        "p99_calm_ms": (median(calm) * 1000, "ms"),
        "p99_swapping_ms": (median(swapping) * 1000, "ms"),
        "p99_ratio": (median(ratios), ""),
    }


def kills(stage: RealStage, size: Scale) -> Figures:
    """Releasers killed at each step under load, and what the next call makes of it."""
    unrecovered = 0
    with asked(stage.port, size.rate) as answered:
        for step in KILLED_AT * size.kills:
            stage.killed_after(step, next_version(stage))
            stage.recover()
            unrecovered += not recovered(stage)
    return {
        "kills": (len(KILLED_AT) * size.kills, ""),
        "killed_failed_requests": (answered.failed, ""),
        "killed_unrecovered": (unrecovered, ""),
    }


def recovered(stage: RealStage) -> bool:
    """Whether nothing is left to mend, and everybody is answered by what is recorded as live."""
    if stage.recover() is not None:
        return False
    try:
        eventually(lambda: versions_answering(stage) == {stage.live()}, 10)
    except AssertionError:
        return False
    return True


def versions_answering(stage: RealStage) -> set[str | None]:
    """Which versions people's lists come from now."""
    bodies = [get(stage.port, f"/recommend/{user}", Accept="application/json")[1] for user in USERS]
    return {json.loads(body)["model_version"] for body in bodies}


if __name__ == "__main__":
    typer.run(main)

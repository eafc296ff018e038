"""Whole releases under load: half of the requests on kept-alive connections, half on new ones."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from types import MappingProxyType

from ci.release.rollout import release
from tests.end_to_end.load import Load, Outcome, is_a_list, under
from tests.integration.real_releases import (
    SPAWN,
    USERS,
    VERSIONS,
    LocalSettings,
    RealStage,
    environment,
)

LONGEST_SECONDS = 3 * 3600
CONNECTIONS = 12
"""Of each kind: all of them come from one address, which may have 32 requests in progress."""


@dataclass(frozen=True)
class Answered:
    """What callers of both kinds got; complete once the load has ended."""

    kept: Outcome
    new: Outcome

    @property
    def requests(self) -> int:
        """How many were sent."""
        return self.kept.sent + self.new.sent

    @property
    def failed(self) -> int:
        """How many were not answered with a list within the callers' patience."""
        return self.kept.failed + self.new.failed

    @property
    def slowest_seconds(self) -> float:
        """How long whoever was answered had to wait at most."""
        return max(self.kept.latencies + self.new.latencies)

    def percentile(self, share: float) -> float:
        """The latency, in seconds, that this share of all answers stayed within."""
        return Outcome(latencies=self.kept.latencies + self.new.latencies).percentile(share)


@contextmanager
def asked(
    port: int,
    rate: float,
    accepts: Callable[[bytes], bool] = is_a_list,
    headers: Mapping[str, str] = MappingProxyType({}),
    patience: float = 0.6,
) -> Iterator[Answered]:
    """Ask at `rate` requests a second while the block runs."""
    half = Load(port, rate / 2, CONNECTIONS, USERS, accepts=accepts, patience=patience)
    kept = replace(half, headers=headers)
    new = replace(half, headers={**headers, "Connection": "close"})
    with under(kept, LONGEST_SECONDS) as of_kept, under(new, LONGEST_SECONDS) as of_new:
        yield Answered(of_kept, of_new)


type Swap = Callable[[], float]
"""Release the one of two versions that is not live; the seconds that took."""


@contextmanager
def releaser(stage: RealStage) -> Iterator[Swap]:
    """A releaser in a process of its own, as in the stack: its work is not the callers'."""
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_release_each, args=(theirs, stage.conninfo, stage.settings))
    process.start()

    def swap() -> float:
        ours.send(next_version(stage))
        told = ours.recv()
        assert isinstance(told, float), f"a release failed: {told}"
        return told

    try:
        yield swap
    finally:
        ours.send(None)
        process.join()


def _release_each(
    asked_for: "Connection[float | str, str | None]", conninfo: str, settings: LocalSettings
) -> None:
    while version := asked_for.recv():
        began = time.monotonic()
        try:
            with environment(conninfo, settings) as made:
                release(made, version)
        except Exception as error:  # noqa: BLE001 -- told to whoever asked
            asked_for.send(str(error) or type(error).__name__)
        else:
            asked_for.send(time.monotonic() - began)


def next_version(stage: RealStage) -> str:
    """The other of two versions."""
    return VERSIONS[1] if stage.live() == VERSIONS[0] else VERSIONS[0]

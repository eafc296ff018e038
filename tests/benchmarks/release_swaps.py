"""Whole releases under load: half of the requests on kept-alive connections, half on new ones."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType

from tests.end_to_end.load import Load, Outcome, is_a_list, under
from tests.integration.real_releases import USERS, VERSIONS, RealStage

LONGEST_SECONDS = 3 * 3600


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
    half = Load(port, rate / 2, user_ids=USERS, accepts=accepts, patience=patience)
    kept = replace(half, headers=headers)
    new = replace(half, headers={**headers, "Connection": "close"})
    with under(kept, LONGEST_SECONDS) as of_kept, under(new, LONGEST_SECONDS) as of_new:
        yield Answered(of_kept, of_new)


def swap(stage: RealStage) -> float:
    """Release the one of two versions that is not live; the seconds that took."""
    began = time.monotonic()
    stage.release(next_version(stage))
    return time.monotonic() - began


def next_version(stage: RealStage) -> str:
    """The other of two versions."""
    return VERSIONS[1] if stage.live() == VERSIONS[0] else VERSIONS[0]

"""How far a release is: a share of the time that its steps take, for whoever waits for it."""

from collections.abc import Callable, Iterable

from ci.release.plan import AwaitReady, Judge, Replay, Step, Watch
from ci.settings import Settings

LOADING_SECONDS = 5.0
"""About what a slot needs to load a version."""
TOLD = 20
"""So many times at most it is told: a release may take days."""


class Course:
    """The steps of one release, how long each takes, and how far it is."""

    def __init__(self, tell: Callable[[str, float], None] = lambda _words, _share: None) -> None:
        self._tell = tell
        self._ahead: list[float] = []
        self._seconds = self._behind = self._under_way = 0.0
        self._told = 0

    def lay(self, steps: Iterable[Step], settings: Settings) -> None:
        """What is to be done now, from its beginning."""
        self._ahead = [seconds_of(step, settings) for step in steps]
        self._seconds = sum(self._ahead)
        self._behind = self._under_way = 0.0
        self._told = 0

    def step(self) -> None:
        """The next step begins."""
        self._behind += self._under_way
        self._under_way = self._ahead.pop(0)

    def passed(self, seconds: float) -> None:
        """So long the step is under way; tells where that is another twentieth of all."""
        if not self._seconds:
            return
        gone = self._behind + min(seconds, self._under_way)
        if (twentieth := int(gone / self._seconds * TOLD)) > self._told:
            self._told = twentieth
            share, left = twentieth / TOLD, self._seconds - gone
            self._tell(f"{share:.0%} of the way, about {left:.0f} s left", share)


def seconds_of(step: Step, settings: Settings) -> float:
    """How long a step takes where all goes well."""
    match step:
        case Watch():
            return settings.release_watch_seconds
        case Judge():
            return settings.evaluation_horizon.total_seconds()
        case Replay():
            return settings.release_replay_requests / settings.release_replay_rate
        case AwaitReady():
            return LOADING_SECONDS
        case _:
            return 0.0

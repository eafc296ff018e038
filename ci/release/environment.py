"""What a release, a rollback or an experiment works on, and who may stop it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import psycopg

from ci.errors import AbortedError
from ci.release.course import Course
from ci.settings import Settings

POLL_SECONDS = 0.5
"""How often the slots are asked, and whether to stop."""


@dataclass(frozen=True)
class Environment:
    """What a release works on, whom it tells, and who may stop it.

    `stop_reason` is asked at every poll; what it says, if anything, ends the release.
    """

    connection: psycopg.Connection
    client: httpx.Client
    settings: Settings
    say: Callable[[str], None]
    stop_reason: Callable[[], str | None]
    job_id: int | None = None
    judges_quality: bool = True
    """Whether a release waits for what people do with the version, or goes by guardrails alone."""
    course: Course = field(default_factory=Course)

    def polls(self, seconds: float) -> Iterator[float]:
        """Turn now, every half second, and after `seconds` a last time; the seconds passed.

        Raises:
            AbortedError: somebody wants the release to stop.
        """
        began = time.monotonic()
        while True:
            if reason := self.stop_reason():
                raise AbortedError(reason)
            elapsed = time.monotonic() - began
            self.course.passed(elapsed)
            yield elapsed
            if elapsed >= seconds:
                return
            time.sleep(min(POLL_SECONDS, seconds - elapsed))

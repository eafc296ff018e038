"""Send one alert through the whole way, from a figure to Slack, and watch it arrive.

The evaluation service exports when a test was last asked for; the rule AlertTest fires on it,
Alertmanager takes it and posts it to Slack. Each of the four has to do its part.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from monitoring.apis import Alert, delivered, firing, handed_on
from monitoring.errors import AlertTestError
from monitoring.settings import Settings

NAME = "AlertTest"
RECEIVER = "alert-test"
LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Stage:
    """One part of the way."""

    words: str
    """What has happened when it is done."""
    patience_seconds: float
    done: Callable[[], bool]
    advice: str
    """What to look at when it is not."""


def run(
    settings: Settings, clock: Callable[[], float], sleep: Callable[[float], None]
) -> Iterator[str]:
    """Yield a line as each stage is done.

    Raises:
        AlertTestError: a stage was not done in time; says what to look at.
        UnansweredError: Prometheus or Alertmanager does not answer.
    """
    begun = clock()
    before = _taken(settings)
    asked = ask(settings.alert_test_file)
    yield "asked for; this takes up to half a minute"
    for stage in stages(settings, asked, before):
        _await(stage, clock, sleep)
        yield f"{clock() - begun:4.1f} s  {stage.words}"


def ask(file: Path) -> datetime:
    """Ask for a test; the time from which it counts."""
    file.touch()
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def stages(settings: Settings, asked: datetime, before: float) -> list[Stage]:
    """The way, in order."""
    return [
        Stage(
            f"Prometheus fires {NAME}",
            60,
            lambda: _holds(firing(settings.prometheus_url), asked),
            "docker compose logs prometheus evaluation",
        ),
        Stage(
            "Alertmanager has it",
            30,
            lambda: _holds(handed_on(settings.alertmanager_url), asked),
            "docker compose logs prometheus alertmanager",
        ),
        Stage(
            "Slack has taken the message: look at #alert",
            60,
            lambda: _slack_is_set(settings) and _taken(settings) > before,
            "docker compose logs alertmanager",
        ),
    ]


def _slack_is_set(settings: Settings) -> bool:
    if not json.loads(settings.given_file.read_text())["slack"]:
        raise AlertTestError(
            "no Slack webhook is set: Alertmanager has the alert, and nobody else is told; set it"
            " with docker compose run --rm -T secrets set slack < file-with-the-webhook-url"
        )
    return True


def _holds(alerts: list[Alert], asked: datetime) -> bool:
    return any(alert.name == NAME and alert.since >= asked for alert in alerts)


def _taken(settings: Settings) -> float:
    posted, failed = delivered(settings.alertmanager_url, RECEIVER)
    return posted - failed


def _await(stage: Stage, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
    deadline = clock() + stage.patience_seconds
    while not stage.done():
        if clock() > deadline:
            raise AlertTestError(
                f"not within {stage.patience_seconds:.0f} s: {stage.words}; see {stage.advice}"
            )
        sleep(LOOK_SECONDS)

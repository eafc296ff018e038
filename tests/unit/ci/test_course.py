"""How far a release says it is."""

from datetime import timedelta
from pathlib import Path

import pytest

from ci.release.course import TOLD, Course
from ci.release.plan import AwaitReady, DeploymentState, Placement, Watch, plan
from ci.settings import Settings
from ci.slots.state import Slot


@pytest.fixture
def settings():
    return Settings(
        database_user="releaser",
        database_passfile=Path("passfile"),
        release_watch_seconds=10,
        evaluation_horizon=timedelta(seconds=150),
        release_replay_requests=250,
    )


LIVE = DeploymentState(Placement(Slot.BLUE, "v1"))


def told(settings, seconds_a_step):
    """What is told of a whole release whose steps take so long, looked at each second."""
    said = []
    course = Course(lambda words, share: said.append((words, share)))
    steps = plan("v2", LIVE, (10, 100, 500, 1000), 100)
    course.lay(steps, settings)
    for step in steps:
        course.step()
        for second in range(seconds_a_step(step) + 1):
            course.passed(float(second))
    return said


def test_each_twentieth_of_the_way_is_told_once(settings):
    said = told(settings, lambda _step: 150)
    shares = [share for _, share in said]
    assert shares == sorted(set(shares))
    assert len(shares) <= TOLD
    assert shares[-1] == 1.0
    assert all(words.startswith(f"{share:.0%} of the way, about ") for words, share in said)


def test_a_step_that_takes_longer_than_it_should_is_no_further_than_its_end(settings):
    """People judge for two horizons where one does not decide."""
    said = told(settings, lambda step: 10_000 if isinstance(step, Watch) else 0)
    assert said[-1][1] <= 1.0
    assert all("about -" not in words for words, _ in said)


def test_what_is_over_at_once_tells_nothing(settings):
    said = []
    course = Course(lambda words, share: said.append((words, share)))
    course.lay((), settings)
    course.passed(1.0)
    assert said == []


def test_each_release_is_told_from_its_own_beginning(settings):
    said = []
    course = Course(lambda _words, share: said.append(share))
    for _ in range(2):
        course.lay((AwaitReady(Placement(Slot.GREEN, "v2")),), settings)
        course.step()
        course.passed(60.0)
    assert said == [1.0, 1.0]

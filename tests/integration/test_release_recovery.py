"""What the next call makes of a release or rollback that died, and the jams known from elsewhere.

The real database and volume; slots are played. That a process is really killed is tested in
`test_release_killed.py`.
"""

from dataclasses import replace

import pytest

from ci.errors import AbortedError, RefusedError
from ci.release import records
from ci.release.actions import settle
from ci.release.description import planned
from ci.release.plan import plan, target_of
from ci.release.recovery import recover
from ci.release.rollout import release, rollback
from ci.release.run import Run
from ci.slots.state import Slot, sent_to_green
from compose.service.assignment import assign, assigned_version, assignment_file
from tests.integration.releasing import EVERYONE, V1, V2, V3, Stage


class Killed(BaseException):
    """Like SIGKILL, this passes every handler of errors."""


def die_after(stage: Stage, step: str, share: int, change, *arguments) -> None:
    """Begin a release or rollback whose process ends right after it recorded a step."""

    def say(words: str) -> None:
        last = records.last_step(stage.environment.connection)
        if words.startswith(step) and last and (last.step, last.share) == (step, share):
            raise Killed

    with pytest.raises(Killed):
        change(replace(stage.environment, say=say), *arguments)


def live(stage: Stage) -> str:
    """What is live, where traffic, slots, lists and the database agree on it."""
    placement = records.deployed(stage.owner).live
    assert placement is not None
    expected = EVERYONE if placement.slot is Slot.GREEN else frozenset()
    assert sent_to_green(stage.state) == expected
    assert assigned_version(assignment_file(stage.state, placement.slot)) == placement.version
    assert stage.popular() == f"popular of {placement.version}\n"
    return placement.version


@pytest.mark.parametrize(
    ("step", "share"),
    [
        ("start", 0),
        ("place", 0),
        ("ready", 0),
        ("replay", 0),
        ("shift", 10),
        ("watch", 10),
        ("shift", 1000),
    ],
)
def test_a_release_that_died_before_it_was_seen_with_everybody_is_undone(stage, step, share):
    release(stage.environment, V1)
    die_after(stage, step, share, release, V2)
    recovered = recover(stage.environment)
    assert recovered is not None
    assert not recovered.finished
    assert live(stage) == V1
    assert stage.said[-1] == (
        f"release of {V2}: the releaser died after the step {step}; undone, traffic is where it was"
    )
    assert recover(stage.environment) is None


def test_a_release_that_died_after_its_last_watch_is_finished_and_says_so(stage):
    release(stage.environment, V1)
    die_after(stage, "watch", 1000, release, V2)
    recovered = recover(stage.environment)
    assert recovered is not None
    assert recovered.finished
    assert live(stage) == V2
    assert "finished, which is safer than undone" in records.last_step(stage.owner).reason
    assert recover(stage.environment) is None
    rollback(stage.environment)
    assert live(stage) == V1


def test_a_release_whose_slot_died_with_its_releaser_is_undone(stage):
    release(stage.environment, V1)
    die_after(stage, "watch", 1000, release, V2)
    stage.slots["green"].refuses.add(V2)
    recover(stage.environment)
    assert live(stage) == V1


def test_a_first_release_that_died_with_everybody_on_it_is_finished(stage):
    die_after(stage, "shift", 1000, release, V1)
    recover(stage.environment)
    assert live(stage) == V1


@pytest.mark.parametrize(("step", "share"), [("start", 0), ("shift", 1000)])
def test_a_rollback_that_died_is_finished(stage, step, share):
    release(stage.environment, V1)
    release(stage.environment, V2)
    die_after(stage, step, share, rollback)
    recover(stage.environment)
    assert live(stage) == V1


def test_a_rollback_that_died_and_whose_slot_cannot_answer_leaves_the_traffic(stage):
    release(stage.environment, V1)
    release(stage.environment, V2)
    die_after(stage, "start", 0, rollback)
    stage.slots["blue"].refuses.add(V1)
    recovered = recover(stage.environment)
    assert recovered is not None
    assert "but: blue is not ready" in recovered.words
    assert live(stage) == V2


def test_each_step_done_twice_is_the_same_as_once(stage):
    release(stage.environment, V1)
    deployed = records.deployed(stage.owner)
    steps = plan(V2, deployed, stage.environment.settings.release_steps)
    run = Run.of(stage.environment, "release", target_of(V2, deployed), deployed)
    with run.kept_or_undone():
        run.begin()
        run.do_all([step for step in steps for _ in range(2)])
    assert live(stage) == V2
    assert assigned_version(assignment_file(stage.state, Slot.BLUE)) == V1


def test_a_rollback_of_a_rollback_goes_one_version_further_back_from_its_directory(stage):
    for version in (V1, V2, V3):
        release(stage.environment, version)
    rollback(stage.environment)
    assert live(stage) == V2
    assert assigned_version(assignment_file(stage.state, Slot.BLUE)) == V1, (
        "what was left is nobody's reserve"
    )
    rollback(stage.environment)
    assert live(stage) == V1
    with pytest.raises(RefusedError, match="no previous version"):
        rollback(stage.environment)
    assert live(stage) == V1


def test_a_rollback_loads_its_version_again_where_the_slot_was_used_for_another(stage):
    release(stage.environment, V1)
    release(stage.environment, V2)
    assign(assignment_file(stage.state, Slot.BLUE), V3, stage.now())
    rollback(stage.environment)
    assert live(stage) == V1
    steps = [step for step, _share, _live in stage.steps()]
    assert steps[-5:] == ["start", "place", "ready", "shift", "promote"]


def test_a_rollback_that_was_asked_for_twice_goes_back_once(stage):
    for version in (V1, V2, V3):
        release(stage.environment, version)
    leaving = records.version_to_leave(stage.owner)
    rollback(stage.environment, leaving)
    rollback(stage.environment, leaving)
    assert live(stage) == V2
    assert stage.said[-1] == f"{V3} is not live: {V2} is; nothing was changed"


def test_a_rollback_asked_for_while_the_first_is_going_back_leaves_the_same_version(stage):
    for version in (V1, V2, V3):
        release(stage.environment, version)
    die_after(stage, "start", 0, rollback)
    leaving = records.version_to_leave(stage.owner)
    recover(stage.environment)
    rollback(stage.environment, leaving)
    assert live(stage) == V2


def test_during_a_release_what_a_rollback_leaves_is_the_version_on_its_way(stage):
    release(stage.environment, V1)
    die_after(stage, "shift", 10, release, V2)
    assert records.version_to_leave(stage.owner) == V2


def test_a_failed_release_gives_the_reserve_its_slot_back(stage):
    release(stage.environment, V1)
    release(stage.environment, V2)
    stage.slots["blue"].failing.add(V3)
    with pytest.raises(AbortedError):
        release(stage.environment, V3)
    assert live(stage) == V2
    assert assigned_version(assignment_file(stage.state, Slot.BLUE)) == V1


def test_the_printed_plan_names_the_steps_that_are_then_done(stage):
    release(stage.environment, V1)
    before = stage.steps()
    settings = stage.environment.settings
    lines = list(planned(stage.environment.connection, settings, V2, judged=False))
    assert stage.steps() == before
    assert lines[0] == f"release of {V2} in green, in place of {V1} in blue: 11 steps"
    assert all("undo: " in line for line in lines[1:])
    release(stage.environment, V2)
    done = [step for step, _share, _live in stage.steps()[len(before) :]]
    assert [line.split()[1] for line in lines[1:]] == done


def test_the_printed_plan_says_where_people_judge(stage):
    release(stage.environment, V1)
    lines = list(planned(stage.environment.connection, stage.environment.settings, V2))
    (place,) = [place for place, line in enumerate(lines) if "people judge it" in line]
    assert "100 of 1000 buckets" in lines[place - 2]


def test_the_plan_of_what_is_live_is_to_do_nothing(stage):
    release(stage.environment, V3)
    lines = list(planned(stage.environment.connection, stage.environment.settings, None))
    assert lines == [f"{V3} is live already; nothing would be changed"]


def test_the_plan_says_what_comes_first_where_a_release_died(stage):
    release(stage.environment, V1)
    die_after(stage, "shift", 10, release, V2)
    lines = list(planned(stage.environment.connection, stage.environment.settings, V3))
    assert lines[0].startswith(f"first: the release of {V2}, at its step shift")
    assert lines[0].endswith("undone if its releaser died")


def test_a_slots_file_that_is_damaged_is_written_anew(stage):
    release(stage.environment, V1)
    deployed = records.deployed(stage.owner)
    file = assignment_file(stage.state, deployed.live.slot)
    file.write_text('{"model_ver')
    settle(stage.environment.settings, deployed)
    assert assigned_version(file) == V1

"""Releases and rollbacks on a real database and volume, with slots that can be made to fail."""

import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from threading import Thread, current_thread, main_thread

import psycopg
import pytest

from ci.errors import AbortedError, RefusedError
from ci.release import records
from ci.release.plan import DeploymentState, Placement
from ci.release.recovery import recover
from ci.release.rollout import release, rollback
from ci.slots.state import Slot, green_buckets, send_to_green, sent_to_green
from ci.worker import release_if_new
from compose.service.assignment import assigned_version, assignment_file
from tests.integration.releasing import EVERYONE, V1, V2, V3, IdleSlot, UnreadableSlot


def test_the_first_release_puts_the_version_into_both_slots_without_a_canary(stage):
    release(stage.environment, V1)
    assert stage.steps() == [
        ("start", 0, None),
        ("place", 0, None),
        ("place", 0, None),
        ("ready", 0, None),
        ("ready", 0, None),
        ("shift", 1000, None),
        ("promote", 1000, V1),
    ]
    assert (
        assigned_version(assignment_file(stage.state, Slot.BLUE)),
        assigned_version(assignment_file(stage.state, Slot.GREEN)),
    ) == (V1, V1)
    assert sent_to_green(stage.state) == frozenset()
    assert stage.popular() == f"popular of {V1}\n"


def test_a_release_grows_step_by_step_and_keeps_the_old_version_in_the_other_slot(stage):
    release(stage.environment, V1)
    before = len(stage.steps())
    release(stage.environment, V2)
    assert stage.steps()[before:] == [
        ("start", 0, V1),
        ("place", 0, V1),
        ("ready", 0, V1),
        ("replay", 0, V1),
        ("shift", 10, V1),
        ("watch", 10, V1),
        ("shift", 500, V1),
        ("watch", 500, V1),
        ("shift", 1000, V1),
        ("watch", 1000, V1),
        ("promote", 1000, V2),
    ]
    assert sent_to_green(stage.state) == EVERYONE
    assert (
        assigned_version(assignment_file(stage.state, Slot.BLUE)),
        assigned_version(assignment_file(stage.state, Slot.GREEN)),
    ) == (V1, V2)
    assert stage.popular() == f"popular of {V2}\n"


def test_releases_alternate_between_the_slots(stage):
    for version in (V1, V2, V3):
        release(stage.environment, version)
    assert (
        assigned_version(assignment_file(stage.state, Slot.BLUE)),
        assigned_version(assignment_file(stage.state, Slot.GREEN)),
    ) == (V3, V2)
    assert sent_to_green(stage.state) == frozenset()


def test_a_release_of_what_is_live_changes_nothing(stage):
    release(stage.environment, V1)
    before = stage.steps()
    release(stage.environment, V1)
    assert stage.steps() == before
    assert stage.said[-1] == f"{V1} is live already; nothing was changed"


def test_a_canary_that_fails_is_taken_back_with_the_reason(stage):
    release(stage.environment, V1)
    stage.slots["green"].failing.add(V2)
    with pytest.raises(AbortedError, match="too many errors"):
        release(stage.environment, V2)
    assert stage.steps()[-2:] == [("shift", 10, V1), ("abort", 0, V1)]
    assert sent_to_green(stage.state) == frozenset()
    assert stage.popular() == f"popular of {V1}\n"


def test_after_a_failed_release_the_slot_without_traffic_holds_a_good_version_again(stage):
    release(stage.environment, V1)
    release(stage.environment, V2)
    stage.slots["blue"].failing.add(V3)
    with pytest.raises(AbortedError):
        release(stage.environment, V3)
    assert (
        assigned_version(assignment_file(stage.state, Slot.BLUE)),
        assigned_version(assignment_file(stage.state, Slot.GREEN)),
    ) == (V1, V2)
    rollback(stage.environment)
    assert records.deployed(stage.owner).live == Placement(Slot.BLUE, V1)


def test_a_slot_that_never_gets_ready_never_gets_traffic(stage):
    release(stage.environment, V1)
    stage.slots["green"].refuses.add(V2)
    with pytest.raises(AbortedError, match=rf"green is not ready with {V2} after \d+\.\d s"):
        release(stage.environment, V2)
    assert [step for step, _, _ in stage.steps()[-3:]] == ["start", "place", "abort"]
    assert sent_to_green(stage.state) == frozenset()


def test_a_slot_that_refuses_a_damaged_version_is_not_waited_for(stage):
    release(stage.environment, V1)
    stage.slots["green"].damaged.add(V2)
    patient = stage.environment.settings.model_copy(update={"release_ready_seconds": 60})
    with pytest.raises(AbortedError, match="damaged, unfit or newer"):
        release(replace(stage.environment, settings=patient), V2)


def test_a_slot_that_stops_being_ready_loses_its_traffic(stage):
    release(stage.environment, V1)
    patient = stage.environment.settings.model_copy(update={"release_watch_seconds": 10})

    def break_green_after_a_while() -> None:
        while sent_to_green(stage.state) != green_buckets(Slot.GREEN, V2, 10):
            time.sleep(0.05)
        stage.slots["green"].refuses.add(V2)

    breaker = Thread(target=break_green_after_a_while)
    breaker.start()
    with pytest.raises(AbortedError, match="green stopped being ready"):
        release(replace(stage.environment, settings=patient), V2)
    breaker.join()
    assert sent_to_green(stage.state) == frozenset()


def test_without_traffic_a_release_goes_by_readiness_and_says_so(stage):
    for name, slot in stage.slots.items():
        stage.slots[name] = IdleSlot(slot.path)
    release(stage.environment, V1)
    release(stage.environment, V2)
    assert "watch: unjudged: nobody has been answered yet" in stage.said
    assert records.deployed(stage.owner).live == Placement(Slot.GREEN, V2)


JUDGED = (
    "INSERT INTO online_metric (window_start, window_end, model_version, arm, metric, value,"
    " samples) VALUES (now(), now(), %s, 'control', 'answers', 3, 3)"
)
CERTIFIED = (
    "UPDATE deployment SET certificate = '{\"requests\": 3}' WHERE version = %s"
    " AND step = 'promote'"
)


@pytest.mark.parametrize(
    "left_of_it",
    [
        lambda stage: stage.answered(7),
        lambda stage: stage.owner.execute(JUDGED, (V1,)),
        lambda stage: stage.owner.execute(CERTIFIED, (V1,)),
    ],
    ids=["a receipt", "what answers were worth", "a release that proved answers"],
)
def test_a_stack_that_gave_answers_before_a_reboot_is_no_new_one(stage, left_of_it):
    """Its slots count from their start, so just now they have answered nobody."""
    for name, slot in stage.slots.items():
        stage.slots[name] = IdleSlot(slot.path)
    release(stage.environment, V1)
    left_of_it(stage)
    release(stage.environment, V2)
    assert any("undecided: no traffic seen on green" in words for words in stage.said)
    assert not any("unjudged" in words for words in stage.said)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (IdleSlot, "no traffic seen on green"),
        (UnreadableSlot, "the metrics of green cannot be read"),
    ],
)
def test_silence_is_waited_out_and_recorded_as_undecided(stage, kind, words):
    release(stage.environment, V1)
    stage.slots["green"] = kind(stage.slots["green"].path)
    release(stage.environment, V2)
    assert f"watch: undecided: {words}; goes on (RELEASE_UNDECIDED=proceed)" in stage.said


def test_silence_ends_a_release_that_is_told_not_to_go_on_undecided(stage):
    release(stage.environment, V1)
    stage.slots["green"] = IdleSlot(stage.slots["green"].path)
    strict = stage.environment.settings.model_copy(update={"release_undecided": "abort"})
    with pytest.raises(AbortedError, match="undecided: no traffic seen on green"):
        release(replace(stage.environment, settings=strict), V2)
    assert sent_to_green(stage.state) == frozenset()


def test_a_live_slot_that_cannot_be_read_is_waited_for_by_name(stage):
    release(stage.environment, V1)
    stage.slots["blue"] = UnreadableSlot(stage.slots["blue"].path)
    release(stage.environment, V2)
    assert any("the metrics of blue cannot be read" in words for words in stage.said)


def test_a_watch_records_what_people_did_after_the_new_versions_answers(stage):
    release(stage.environment, V1)
    stage.owner.execute(
        "INSERT INTO online_metric (window_start, window_end, model_version, arm, metric, value,"
        " low, samples) VALUES (now(), now(), %s, 'control', 'watched_share', 0.25, 0.2, 40)",
        (V2,),
    )
    release(stage.environment, V2)
    assert stage.said[-1].startswith("promote")
    assert stage.said[-2].endswith("online: watched_share 0.25 (n=40)")


def test_a_rollback_sends_everyone_back_at_once(stage):
    release(stage.environment, V1)
    release(stage.environment, V2)
    before = len(stage.steps())
    rollback(stage.environment)
    assert stage.steps()[before:] == [
        ("start", 0, V2),
        ("shift", 1000, V2),
        ("promote", 1000, V1),
    ]
    assert sent_to_green(stage.state) == frozenset()
    assert stage.popular() == f"popular of {V1}\n"


def test_a_rollback_after_the_first_release_is_refused(stage):
    release(stage.environment, V1)
    with pytest.raises(RefusedError, match="no previous version"):
        rollback(stage.environment)


def test_a_rollback_does_not_return_to_what_was_rolled_back_from(stage):
    release(stage.environment, V1)
    release(stage.environment, V2)
    rollback(stage.environment)
    with pytest.raises(RefusedError, match="no previous version"):
        rollback(stage.environment)


def test_a_rollback_to_a_slot_that_does_not_get_ready_leaves_the_traffic_where_it_is(stage):
    release(stage.environment, V1)
    release(stage.environment, V2)
    stage.slots["blue"].refuses.add(V1)
    with pytest.raises(AbortedError, match="blue is not ready"):
        rollback(stage.environment)
    assert sent_to_green(stage.state) == EVERYONE


def test_what_a_dead_releaser_left_is_put_back_and_recorded(stage):
    release(stage.environment, V1)
    stage.environment.connection.execute(
        "INSERT INTO deployment (action, step, version, slot, share, live_version, live_slot,"
        " reason) VALUES ('release', 'shift', %s, 'green', 500, %s, 'blue', 'half way')",
        (V2, V1),
    )
    send_to_green(stage.state, green_buckets(Slot.GREEN, V2, 500))
    recovered = recover(stage.environment)
    assert recovered.words == (
        "the releaser died after the step shift; undone, traffic is where it was"
    )
    assert stage.steps()[-1] == ("abort", 0, V1)
    assert sent_to_green(stage.state) == frozenset()
    assert recover(stage.environment) is None


class PowerCut(BaseException):
    """Like SIGKILL, this passes every handler of errors."""


class Power:
    """Lets a number of operations on files happen and no more; the interpreter reports each."""

    EVENTS = frozenset({"open", "os.rename", "os.mkdir", "os.symlink", "os.remove", "os.rmdir"})

    def __init__(self):
        self.left = None
        sys.addaudithook(self.hook)

    def hook(self, event, _arguments):
        if self.left is None or event not in self.EVENTS or current_thread() is not main_thread():
            return
        if self.left == 0:
            raise PowerCut
        self.left -= 1

    @contextmanager
    def cut_after(self, operations):
        self.left = operations
        try:
            with suppress(PowerCut):
                yield
        finally:
            self.left = None


POWER = Power()


@pytest.mark.parametrize("operations", [0, 2, 4, 7, 12, 20, 30, 300, 540, 1549, 1556, 1600])
def test_a_releaser_killed_anywhere_leaves_what_the_next_one_puts_right(stage, operations):
    release(stage.environment, V1)
    with POWER.cut_after(operations):
        release(stage.environment, V2)
    recover(stage.environment)
    live = records.deployed(stage.owner).live
    assert sent_to_green(stage.state) == (EVERYONE if live.slot is Slot.GREEN else frozenset())
    assert assigned_version(assignment_file(stage.state, live.slot)) == live.version
    assert stage.popular() == f"popular of {live.version}\n"
    release(stage.environment, V3)
    assert records.deployed(stage.owner).live.version == V3


def test_when_the_database_goes_away_the_traffic_goes_back_at_once(stage, conninfo):
    release(stage.environment, V1)
    pid = stage.environment.connection.info.backend_pid

    def cut_the_connection() -> None:
        if sent_to_green(stage.state):
            stage.owner.execute("SELECT pg_terminate_backend(%s)", (pid,))

    with pytest.raises(psycopg.OperationalError):
        release(replace(stage.environment, stop_reason=cut_the_connection), V2)
    assert sent_to_green(stage.state) == frozenset()
    with psycopg.connect(conninfo("releaser"), autocommit=True) as connection:
        recover(replace(stage.environment, connection=connection))
    assert stage.steps()[-1] == ("abort", 0, V1)


def test_a_release_ends_a_running_experiment_and_says_why(stage):
    release(stage.environment, V1)
    stage.owner.execute(
        "INSERT INTO experiment (name, control, challenger, challenger_slot, salt, seed,"
        " horizon, margin, largest_sample)"
        " VALUES ('bolder', %s, %s, 'green', 'bolder', 1, '1 day', 0.02, 20000)",
        (V1, V3),
    )
    send_to_green(stage.state, {1, 2})
    release(stage.environment, V2)
    assert stage.owner.execute("SELECT end_reason FROM experiment").fetchone() == (
        f"a release of {V2} needs its slot",
    )


def test_the_newest_accepted_version_is_chosen(stage):
    stage.train("20260104-000000-svd", "refused", "worse than popularity")
    assert records.choose_version(stage.environment.connection, None) == V3


def test_a_version_that_the_offline_gate_refused_is_refused(stage):
    stage.train("20260104-000000-svd", "refused", "worse than popularity")
    with pytest.raises(RefusedError, match="worse than popularity"):
        records.choose_version(stage.environment.connection, "20260104-000000-svd")


def test_a_version_that_does_not_exist_is_refused(stage):
    with pytest.raises(RefusedError, match="there is no version v0"):
        records.choose_version(stage.environment.connection, "v0")


def test_the_nightly_release_does_not_repeat_what_was_tried(stage):
    release(stage.environment, V2)
    release(stage.environment, V3)
    rollback(stage.environment)
    release_if_new(stage.environment, 0)
    assert records.deployed(stage.owner).live == Placement(Slot.BLUE, V2)


def test_a_release_that_is_due_before_there_is_a_version_does_not_fail(stage):
    stage.owner.execute("DELETE FROM model_version")
    release_if_new(stage.environment, 0)
    assert stage.steps() == []
    assert stage.said[-1].startswith(
        "nothing to release at 00:00 UTC: there is no accepted version yet"
    )


def test_only_one_releaser_works_at_a_time(stage, conninfo):
    with (
        psycopg.connect(conninfo("releaser"), autocommit=True) as other,
        records.sole_releaser(stage.environment.connection),
        pytest.raises(RefusedError, match="another releaser"),
        records.sole_releaser(other),
    ):
        pass


def test_what_was_live_at_a_moment_is_a_query(stage):
    release(stage.environment, V1)
    between = datetime.now(UTC)
    release(stage.environment, V2)
    live = stage.owner.execute(
        "SELECT live_version, live_slot FROM live_at(%s)", (between,)
    ).fetchall()
    assert live == [(V1, "blue")]
    assert stage.owner.execute("SELECT live_version FROM live_at(now())").fetchall() == [(V2,)]


def test_before_the_first_release_nothing_is_live(stage):
    assert records.deployed(stage.owner) == DeploymentState()
    assert stage.owner.execute("SELECT * FROM live_at(now())").fetchall() == []

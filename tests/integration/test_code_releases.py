"""A release of code is carried as one of a model: real database and volume, played slots.

Whoever has the engine is played by rows that the script records.
"""

import json
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from ci.certificate.chain import check
from ci.code.description import planned
from ci.code.rollout import Asked, release_code
from ci.errors import AbortedError, RefusedError, ReleaseError
from ci.experiment import run as experiment
from ci.release import description, records
from ci.release.plan import Placement
from ci.release.recovery import recover
from ci.release.rollout import release, rollback
from ci.slots.code import Code, Outcome, difference, record_code, running
from ci.slots.state import Slot, sent_to_green
from compose.service.assignment import assigned_version, assignment_file
from tests.integration.releasing import EVERYONE, V1, V2

OLD, NEW = "marquee/recommender:0-0", "marquee/recommender:1-1"
JOB = 7
LOADED = ["start", "place", "code", "ready", "place", "ready"]
"""What a rollback returns to has to fit the code, then the live version."""
JUDGED = [*LOADED, "replay"] + ["shift", "watch"] * 3
ANOTHERS = ",".join(f"another+{number}" for number in range(20))


class Killed(BaseException):
    """Like SIGKILL, this passes every handler of errors."""


@pytest.fixture(autouse=True)
def live(stage):
    """Two models went live one after the other; the script is waited for half a second."""
    release(stage.environment, V1)
    release(stage.environment, V2)
    stage.answered(*range(20))
    short = {"release_code_seconds": 0.5, "evaluation_horizon": timedelta(days=1)}
    settings = stage.environment.settings.model_copy(update=short)
    stage.environment = replace(stage.environment, settings=settings, job_id=JOB)


def recreating(stage, outcomes, slots=("blue", "green"), image=NEW, job_id=JOB):
    """The stage's releaser, and a script that tells of each slot in its turn."""
    turns = {"place: ": (slots[0], outcomes[0])}
    if len(outcomes) > 1:
        turns[("promote: " if outcomes[1] is Outcome.RELEASED else "abort: ")] = (
            slots[1] if outcomes[1] is Outcome.RELEASED else slots[0],
            outcomes[1],
        )

    def say(words: str) -> None:
        stage.said.append(words)
        for beginning, (slot, outcome) in turns.items():
            if words.startswith(beginning):
                code = Code(image, f"id of {image}")
                record_code(stage.environment.connection, Slot(slot), code, outcome, job_id)

    return replace(stage.environment, say=say, job_id=job_id)


WELL = (Outcome.PLACED, Outcome.RELEASED)
IN_VAIN = (Outcome.PLACED, Outcome.TAKEN_BACK)


def asked(image=NEW, **other) -> Asked:
    return Asked(image, f"id of {image}", **other)


def rows(stage, job_id=JOB):
    return stage.owner.execute(
        "SELECT step, action, version, slot, live_slot FROM deployment WHERE job_id = %s"
        " ORDER BY step_id",
        (job_id,),
    ).fetchall()


def live_placement(stage):
    """What is live, where traffic, slots and the database agree on it."""
    placement = records.deployed(stage.owner).live
    expected = EVERYONE if placement.slot is Slot.GREEN else frozenset()
    assert sent_to_green(stage.state) == expected
    assert assigned_version(assignment_file(stage.state, placement.slot)) == placement.version
    return placement


def test_the_live_version_goes_live_with_other_code_by_every_step_of_a_release(stage):
    release_code(recreating(stage, WELL), asked())
    assert [step for step, *_ in rows(stage)] == [*JUDGED, "promote"]
    assert {row[1:4] for row in rows(stage)} == {("code release", V2, "blue")}
    assert live_placement(stage) == Placement(Slot.BLUE, V2)
    assert {code.image for code in running(stage.owner).values()} == {NEW}


def test_the_model_before_is_kept_in_the_other_slot_for_a_rollback(stage):
    release_code(recreating(stage, WELL), asked())
    assert assigned_version(assignment_file(stage.state, Slot.GREEN)) == V1
    rollback(stage.environment)
    assert live_placement(stage) == Placement(Slot.GREEN, V1)


def test_its_certificate_names_the_image_and_each_figure_and_is_chained(stage):
    release_code(recreating(stage, WELL), asked())
    (text,) = stage.owner.execute(
        "SELECT certificate FROM deployment WHERE step = 'promote' AND job_id = %s", (JOB,)
    ).fetchone()
    told = json.loads(text)
    assert told["code"] == {"image": NEW, "image_id": f"id of {NEW}"}
    assert {gate["evidence"] for gate in told["gates"]} == {"live", "replayed"}
    assert [step["step"] for step in told["steps"]] == JUDGED
    checked = check(stage.owner)
    assert (len(checked.hashes), checked.problems) == (3, ())


def test_the_story_tells_it(stage, conninfo):
    release_code(recreating(stage, WELL), asked())
    with psycopg.connect(conninfo("analyst")) as analyst:
        told = [
            sentence
            for (sentence,) in analyst.execute("SELECT sentence FROM story ORDER BY at").fetchall()
        ]
    told = told[told.index(f"A code release of {V2} was begun, the code of {NEW} in place of that"
                           " of green.") :]  # fmt: skip
    assert told[1] == f"Slot blue got the code of {NEW}, to be tried."
    assert any(
        sentence.startswith(f"{V2} went live by a code release: live with the code of {NEW}.")
        for sentence in told
    )
    assert {f"Slot {slot} keeps the code of {NEW}." for slot in Slot} <= set(told)


def test_code_that_fails_people_is_taken_back_with_its_evidence(stage):
    stage.slots["blue"].failing.add(V2)
    with pytest.raises(AbortedError, match="too many errors"):
        release_code(recreating(stage, IN_VAIN), asked())
    assert live_placement(stage) == Placement(Slot.GREEN, V2)
    assert difference(stage.owner) is None
    rejected = stage.owner.execute("SELECT slot, reason FROM rejected_candidate").fetchone()
    assert rejected[0] == "blue"
    assert rejected[1].startswith("too many errors")


def test_code_whose_lists_differ_gets_nobody_unless_that_is_meant(stage):
    stage.slots["blue"].lists[V2] = ANOTHERS
    with pytest.raises(AbortedError, match=r"only 0\.0% of the live lists is in the new ones"):
        release_code(recreating(stage, IN_VAIN), asked())
    assert "shift" not in [step for step, *_ in rows(stage)]
    release_code(recreating(stage, WELL, job_id=JOB + 1), asked(overlap=0.0))
    assert live_placement(stage) == Placement(Slot.BLUE, V2)


def test_code_that_the_version_does_not_fit_gets_nobody(stage):
    stage.slots["blue"].damaged.add(V2)
    with pytest.raises(AbortedError, match="damaged, unfit or newer"):
        release_code(recreating(stage, IN_VAIN), asked())
    assert [step for step, *_ in rows(stage)] == [*LOADED[:-1], "abort"]


def test_code_that_what_a_rollback_returns_to_does_not_fit_gets_nobody(stage):
    stage.slots["blue"].damaged.add(V1)
    with pytest.raises(AbortedError, match=rf"blue is not ready with {V1} .* newer than its code"):
        release_code(recreating(stage, IN_VAIN), asked())
    assert [step for step, *_ in rows(stage)] == ["start", "place", "code", "abort"]
    assert live_placement(stage) == Placement(Slot.GREEN, V2)


def test_where_a_rollback_would_return_to_nothing_only_the_live_version_has_to_fit(stage):
    stage.owner.execute("DELETE FROM deployment WHERE live_version = %s", (V1,))
    stage.slots["blue"].damaged.add(V1)
    release_code(recreating(stage, WELL), asked())
    assert live_placement(stage) == Placement(Slot.BLUE, V2)


def test_people_who_get_empty_lists_from_it_are_found_though_the_version_is_the_same(stage):
    def answer() -> None:
        if rows(stage)[-1:] and rows(stage)[-1][0] == "shift":
            for slot, first, movies in (("green", 1000, "{a}"), ("blue", 2000, "{}")):
                stage.owner.execute(
                    "INSERT INTO receipt (receipt_id, time, user_id, movie_ids, model_version,"
                    " slot, bucket, arm, reason, latency_ms)"
                    " SELECT gen_random_uuid(), clock_timestamp(), user_id, %s, %s, %s, 1,"
                    " 'control', 'model', 1 FROM generate_series(%s::int, %s::int) AS user_id",
                    (movies, V2, slot, first, first + 120),
                )

    environment = replace(recreating(stage, IN_VAIN), stop_reason=answer)
    with pytest.raises(AbortedError, match="share of answers without a movie: 1 against 0"):
        release_code(environment, asked())
    assert live_placement(stage) == Placement(Slot.GREEN, V2)


@pytest.mark.parametrize(
    ("outcomes", "why"),
    [
        ((Outcome.TAKEN_BACK,), "blue does not run with the code of"),
        ((), "nobody gave blue the code of"),
    ],
)
def test_a_slot_that_does_not_get_the_code_changes_nothing(stage, outcomes, why):
    environment = recreating(stage, outcomes) if outcomes else stage.environment
    with pytest.raises(AbortedError, match=why):
        release_code(environment, asked())
    assert live_placement(stage) == Placement(Slot.GREEN, V2)
    assert assigned_version(assignment_file(stage.state, Slot.BLUE)) == V1
    assert difference(stage.owner) is None


def test_a_slot_that_its_script_left_is_settled_by_the_next_one(stage):
    environment = stage.environment
    settings = environment.settings.model_copy(update={"release_code_seconds": 60})
    base = recreating(replace(stage, environment=replace(environment, settings=settings)), WELL[:1])

    def say(words: str) -> None:
        base.say(words)
        if words.startswith("promote: "):
            for slot in Slot:
                record_code(stage.owner, slot, asked().code, Outcome.RELEASED)

    release_code(replace(base, say=say), asked())
    assert not any("is not waited for" in words for words in stage.said)
    assert difference(stage.owner) is None


def test_what_is_told_twice_is_recorded_once(stage):
    told = [(Slot.BLUE, outcome) for outcome in (Outcome.GIVEN, Outcome.PLACED)]
    for slot, outcome in (told[0], told[0], told[1], told[1], told[0]):
        record_code(stage.environment.connection, slot, asked().code, outcome, JOB)
    rows = stage.owner.execute("SELECT outcome FROM code_release ORDER BY release_id").fetchall()
    assert rows == [("given",), ("placed",), ("given",)]


def test_while_the_slots_run_different_code_no_model_is_released_or_tried(stage):
    with pytest.raises(ReleaseError, match="blue is live with it, but a release of code was cut"):
        release_code(recreating(stage, WELL[:1]), asked())
    told = f"blue the code of {NEW} and green the code of before"
    wanted = experiment.Wanted(V1, 500, 1, 0.02, 1000)
    for refused in (
        lambda: release(stage.environment, V1),
        lambda: experiment.start(stage.environment, wanted),
        lambda: list(description.planned(stage.owner, stage.environment.settings, V1)),
    ):
        with pytest.raises(RefusedError, match=told):
            refused()
    rollback(stage.environment)
    assert live_placement(stage).version == V1


def test_a_slot_that_somebody_who_died_was_giving_the_code_gets_no_model(stage):
    environment = recreating(stage, (Outcome.GIVEN,))
    with pytest.raises(AbortedError, match="nobody gave blue the code of"):
        release_code(environment, asked())
    with pytest.raises(RefusedError, match=f"blue the code of {NEW}"):
        release(stage.environment, V1)


@pytest.mark.parametrize(
    ("step", "share", "finished"),
    [
        *((step, 0, False) for step in ("start", "place", "code", "ready", "replay")),
        *((("shift", 10, False), ("watch", 10, False), ("watch", 1000, True))),
    ],
)
def test_a_releaser_that_died_is_recovered_from_at_each_step(stage, step, share, finished):
    base = recreating(stage, WELL)

    def say(words: str) -> None:
        base.say(words)
        last = records.last_step(stage.owner)
        if words.startswith(step) and (last.step, last.share) == (step, share):
            raise Killed

    with pytest.raises(Killed):
        release_code(replace(base, say=say), asked())
    recovered = recover(stage.environment)
    assert (recovered.job_id, recovered.finished) == (JOB, finished)
    assert live_placement(stage) == Placement(Slot.BLUE if finished else Slot.GREEN, V2)
    assert recover(stage.environment) is None


def test_the_code_before_comes_back_without_gates_and_then_the_model_before(stage):
    release_code(recreating(stage, WELL), asked())
    assert records.code_went_live_last(stage.owner)
    back = recreating(stage, WELL, slots=("green", "blue"), image=OLD, job_id=JOB + 1)
    release_code(back, asked(OLD, back=True))
    steps = [step for step, *_ in rows(stage, JOB + 1)]
    assert steps == ["start", "place", "code", "ready", "shift", "promote"]
    assert live_placement(stage) == Placement(Slot.GREEN, V2)
    assert not records.code_went_live_last(stage.owner)
    rollback(stage.environment)
    assert live_placement(stage).version == V1


@pytest.mark.parametrize(("step", "finished"), [("code", False), ("ready", True), ("shift", True)])
def test_going_back_to_code_is_finished_once_the_slot_is_known_to_have_it(stage, step, finished):
    release_code(recreating(stage, WELL), asked())
    base = recreating(stage, WELL, slots=("green", "blue"), image=OLD, job_id=JOB + 1)

    def say(words: str) -> None:
        base.say(words)
        if words.startswith(f"{step}: "):
            raise Killed

    with pytest.raises(Killed):
        release_code(replace(base, say=say), asked(OLD, back=True))
    assert recover(stage.environment).finished is finished
    assert live_placement(stage).slot is (Slot.GREEN if finished else Slot.BLUE)


def test_a_rollback_during_it_sends_everybody_back_and_leaves_no_version(stage):
    told = iter([None] * 4)
    base = recreating(stage, IN_VAIN)
    stopping = replace(base, stop_reason=lambda: next(told, "a rollback was asked for (job 8)"))
    with pytest.raises(AbortedError, match="a rollback was asked for"):
        release_code(stopping, asked())
    assert live_placement(stage) == Placement(Slot.GREEN, V2)


def test_a_rollback_that_came_too_late_to_stop_it_leaves_no_version(stage):
    with pytest.raises(AbortedError):
        release_code(stage.environment, asked())
    stage.owner.execute("DELETE FROM deployment WHERE step = 'abort'")
    leaving = records.version_to_leave(stage.owner)
    stage.owner.execute("DELETE FROM deployment WHERE job_id = %s", (JOB,))
    rollback(stage.environment, leaving)
    assert live_placement(stage) == Placement(Slot.GREEN, V2)
    assert stage.said[-1].endswith("nothing was changed")


def test_a_rollback_sends_nobody_to_code_that_was_given_up(stage):
    stage.slots["blue"].failing.add(V2)
    with pytest.raises(AbortedError, match="too many errors"):
        release_code(recreating(stage, (Outcome.PLACED,)), asked())
    with pytest.raises(RefusedError, match=f"blue runs the code of {NEW}, which was given up"):
        rollback(stage.environment)
    assert live_placement(stage) == Placement(Slot.GREEN, V2)
    code = Code(NEW, f"id of {NEW}")
    record_code(stage.environment.connection, Slot.BLUE, code, Outcome.TAKEN_BACK, JOB)
    rollback(stage.environment)
    assert live_placement(stage) == Placement(Slot.BLUE, V1)


@pytest.mark.parametrize("away", ["record_code", "say"])
def test_what_fails_once_it_is_live_undoes_nothing(stage, monkeypatch, away):
    base = recreating(stage, WELL)

    def fail(*_given) -> None:
        raise psycopg.OperationalError("gone")

    def say(words: str) -> None:
        base.say(words)
        if away == "say" and words.startswith("promote: "):
            fail()

    if away == "record_code":
        monkeypatch.setattr("ci.release.run.code.record_code", fail)
    release_code(replace(base, say=say), asked())
    assert [step for step, *_ in rows(stage)][-1] == "promote"
    assert live_placement(stage) == Placement(Slot.BLUE, V2)


def waiting(stage, task, **args):
    stage.owner.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('release', %s, %s)",
        (task, json.dumps(args)),
    )


def test_other_code_supersedes_what_is_under_way_and_a_model_waits_for_code(stage):
    with pytest.raises(AbortedError):
        release_code(stage.environment, asked())
    waiting(stage, "release", version=V1)
    assert records.superseding(stage.owner) is None
    waiting(stage, "release_code", image=NEW)
    assert records.superseding(stage.owner)[1] == f"the code of {NEW}"


def test_the_printed_plan_names_the_steps_that_are_then_done(stage):
    before = stage.steps()
    lines = list(planned(stage.environment.connection, stage.environment.settings, asked()))
    assert stage.steps() == before
    assert lines[0] == (
        f"release of the code of {NEW} with {V2} in blue, in place of that of green: 15 steps"
    )
    assert all("undo: " in line for line in lines[1:])
    release_code(recreating(stage, WELL), asked())
    names = [line.split()[1] for line in lines[1:-1]]
    assert names == [step for step, *_ in rows(stage)]
    assert "less than 90.0% of the live lists" in lines[7]

"""Slots are recreated while people ask, and a releaser of code is killed at each step.

Real slots, Nginx and database: whoever has the engine is played by ending a slot's process and
starting it anew where it listened. Callers wait as long as it takes.
"""

import os
import signal
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest

from ci.code.rollout import Asked, release_code
from ci.release import records
from ci.release.recovery import recover
from ci.slots.code import Code, Outcome, difference, record_code
from ci.slots.state import Slot
from tests.end_to_end.load import Load, under
from tests.integration.real_releases import SPAWN, USERS, VERSIONS, environment, real_stage
from tests.waiting import eventually

V1, V2, _V3 = VERSIONS
STEPS = ("place", "code", "watch")
"""Before the slot is recreated, after that, and while people are on it; the others are played."""
WITHIN = 120


@pytest.fixture
def stage(tmp_path, conninfo):
    with real_stage(tmp_path, conninfo("releaser"), conninfo("recommender")) as stage:
        yield stage


@pytest.fixture
def connection(conninfo):
    with psycopg.connect(conninfo("releaser"), autocommit=True) as connection:
        yield connection


def patient(stage):
    return Load(port=stage.port, rate=50, connections=4, user_ids=USERS, patience=60)


def image(job_id):
    return Code(f"marquee/recommender:{job_id}", f"id of {job_id}")


def carry(conninfo, settings, job_id):
    """What a releaser of its own does for one job."""
    with environment(conninfo, settings) as made:
        recover(made)
        release_code(replace(made, job_id=job_id), Asked(**vars(image(job_id))))


def recreate(stage, slot):
    """End a slot as an engine does, and start it anew where it was; it listens again."""
    running = [each for each in stage.slots.running if each.name == slot][-1]
    running.process.terminate()
    running.process.wait(WITHIN)
    again = stage.slots.start(slot, port=running.port)
    eventually(again.readiness, 60, "a slot that listens")


def taken(connection, job_id, step):
    """Whether a job has taken a step."""
    row = connection.execute(
        "SELECT FROM deployment WHERE job_id = %s AND step = %s", (job_id, step)
    ).fetchone()
    return row is not None


def ended(connection, job_id):
    """Whether it is known how it ended for people."""
    last = records.last_step(connection, job_id)
    return last is not None and last.ended


@contextmanager
def releaser(stage, job_id):
    """A process that carries a release of code; it is gone at the end."""
    process = SPAWN.Process(target=carry, args=(stage.conninfo, stage.settings, job_id))
    process.start()
    yield process
    process.join(WITHIN)
    assert process.exitcode is not None


def give(stage, connection, job_id, slot, outcome):
    """What the script does: recreate a slot, and say so."""
    recreate(stage, slot)
    record_code(connection, Slot(slot), image(job_id), outcome, job_id)


def released(stage, connection, job_id):
    """A whole release of code, to both slots' end; how its releaser ended."""
    standby = records.deployed(connection).live.slot.other
    with releaser(stage, job_id) as process:
        eventually(lambda: taken(connection, job_id, "place"), WITHIN, "a slot to recreate")
        give(stage, connection, job_id, standby, Outcome.PLACED)
        eventually(lambda: ended(connection, job_id), WITHIN, "a verdict")
        give(stage, connection, job_id, standby.other, Outcome.RELEASED)
    return process.exitcode


def test_both_slots_get_other_code_while_people_ask_and_no_request_fails(stage, connection):
    with under(patient(stage)) as outcome:
        stage.release(V2)
        assert released(stage, connection, 1) == 0
        stage.rollback()
    assert stage.live() == V1
    assert difference(connection) is None
    assert outcome.sent > 0
    assert not outcome.failures
    replayed = connection.execute(
        "SELECT value FROM gate_measurement WHERE metric = 'overlap' AND job_id = 1"
    ).fetchall()
    assert replayed == [(1.0,)]


def test_a_releaser_killed_at_each_step_of_it_fails_no_request(stage, connection):
    with under(patient(stage)) as outcome:
        for job_id, step in enumerate(STEPS, 1):
            before = records.deployed(connection).live
            with releaser(stage, job_id) as process:
                if step != "place":
                    eventually(lambda job_id=job_id: taken(connection, job_id, "place"), WITHIN)
                    give(stage, connection, job_id, before.slot.other, Outcome.PLACED)
                eventually(lambda job_id=job_id, step=step: taken(connection, job_id, step), WITHIN)
                os.kill(process.pid, signal.SIGKILL)
            recovered = stage.recover()
            live = records.deployed(connection).live
            assert recovered is None or recovered.finished or live == before
            assert stage.recover() is None
        assert released(stage, connection, job_id + 1) == 0
    assert stage.live() == V1
    assert difference(connection) is None
    assert outcome.sent > 0
    assert not outcome.failures

"""A releaser that is killed at each step while people ask: nobody notices, and the next call mends.

Real slots, Nginx and database; callers wait as long as it takes, so that a slow machine fails
nothing: only what was answered wrongly, or not at all, counts.
"""

import pytest

from tests.end_to_end.load import Load, under
from tests.integration.real_releases import USERS, VERSIONS, real_stage

V1, V2, V3 = VERSIONS
STEPS = ("start", "place", "ready", "replay", "shift", "watch")


@pytest.fixture
def stage(tmp_path, conninfo):
    with real_stage(tmp_path, conninfo("releaser"), conninfo("recommender")) as stage:
        yield stage


def patient(stage):
    return Load(port=stage.port, rate=50, connections=4, user_ids=USERS, patience=60)


def test_a_releaser_killed_at_each_step_fails_no_request_and_is_recovered_from(stage):
    with under(patient(stage)) as outcome:
        for step in STEPS:
            before = stage.live()
            stage.killed_after(step, V2 if before == V1 else V1)
            recovered = stage.recover()
            assert recovered is None or recovered.finished or stage.live() == before
            assert stage.recover() is None
        stage.release(V3)
    assert stage.live() == V3
    assert outcome.sent > 0
    assert not outcome.failures


def test_a_rollback_under_load_fails_no_request(stage):
    with under(patient(stage)) as outcome:
        stage.release(V2)
        stage.rollback()
    assert stage.live() == V1
    assert outcome.sent > 0
    assert not outcome.failures

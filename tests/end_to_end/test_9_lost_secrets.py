"""The volume with every password is lost under a running stack; what OPERATIONS.md says helps.

DRILL_ROUNDS: set by make drill, which alone plays it: every service starts anew.
"""

import os

import psycopg
import pytest

from monitoring.status.containers import LONG_RUNNING
from tests.end_to_end.test_6_faults import assert_it_goes_on_and_balances
from tests.waiting import eventually

pytestmark = [
    pytest.mark.skipif("DRILL_ROUNDS" not in os.environ, reason="in make drill"),
    pytest.mark.timeout(900),
]

SERVICES = (*LONG_RUNNING, "simulator")
EMPTY = ("--entrypoint", "sh", "secrets", "-c", "rm -rf /run/secrets/*")


def unwell(stack):
    return [service for service in SERVICES if not stack.is_healthy(service)]


def test_new_passwords_are_made_and_fit_and_the_data_stays(stack):
    before = stack.secret("analyst")
    landed = "SELECT sum(next_offset - first_offset) FROM stream_offset"
    ((lines,),) = stack.sql(landed)

    stack.compose("run", "--rm", "--no-deps", "-T", *EMPTY)
    stack.compose("up", "--detach", "--no-build", "secrets")
    eventually(lambda: stack.secret("analyst"), 60, "passwords made anew")
    stack.compose("restart", "postgres")
    stack.compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", "240")

    eventually(lambda: not unwell(stack), 300, lambda: f"{unwell(stack)} well")
    assert stack.secret("analyst") != before
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(stack.conninfo("analyst", before))
    assert stack.sql(landed)[0][0] >= lines
    assert_it_goes_on_and_balances(stack)
    assert len(stack.recommend(42)) == 20

"""A drill of the running stack: its scorecard, and that everything runs afterwards."""

import json

from tests.end_to_end.conftest import CHECKOUT, Stack
from tests.waiting import eventually

SERVICES = ("ingest", "recommender-green")


UNDER_WAY = (CHECKOUT / "compose/drill/under_way.sql").read_text()


def settled(stack: Stack) -> bool:
    """Whether no service is found ill or was only just started, and no release is under way."""
    health = stack.compose("ps", "--format", "{{.Health}}").split()
    return set(health) == {"healthy"} and stack.sql(UNDER_WAY) == [(None,)]


def test_a_drill_scores_each_fault_and_leaves_the_stack_as_it_was(stack):
    eventually(lambda: settled(stack), 200, "a stack that is well")
    ran = set(stack.compose("ps", "--services", "--status", "running").split())
    done = stack.make("drill", "YES=1", f"FAULTS={' '.join(SERVICES)}")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((CHECKOUT / "build/drill.json").read_text())
    assert report["passed"]
    assert report["audit_balances"]
    assert [fault["fault"] for fault in report["faults"]] == list(SERVICES)
    assert all(fault["answered"] > 0 and fault["failed"] == 0 for fault in report["faults"])
    assert set(stack.compose("ps", "--services", "--status", "running").split()) == ran

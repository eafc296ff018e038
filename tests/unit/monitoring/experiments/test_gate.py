import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from monitoring.experiments.gate import Decision, LatestVerdict, decide, unless_silent


def evidence(verdict, low=None, reason="so it is"):
    return LatestVerdict("release of v2", "v1", 0.05, verdict, reason, 900, 100, low, 0.0, 0.2)


@pytest.mark.parametrize(
    ("verdict", "low", "decision"),
    [
        ("better", 0.02, Decision.GO),
        ("no_difference", -0.01, Decision.GO),
        ("worse", -0.5, Decision.STOP),
        ("stop", 0.02, Decision.STOP),
        ("undecided", -0.04, Decision.GO),
        ("undecided", -0.06, Decision.WAIT),
        ("wait", None, Decision.WAIT),
        (None, None, Decision.WAIT),
    ],
    ids=[
        "better",
        "no difference",
        "worse",
        "a guardrail stops what people like",
        "surely not worse by more than the margin",
        "it may be worse by more than the margin",
        "a sample ratio mismatch, or nobody yet",
        "not looked at yet",
    ],
)
def test_a_verdict_decides(verdict, low, decision):
    assert decide(evidence(verdict, low)).decision is decision


def test_what_no_experiment_tried_waits():
    assert decide(None).decision is Decision.WAIT


def test_what_an_experiment_found_that_is_over_waits_and_says_so():
    over = replace(evidence("better", 0.02), past=datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    ruling = decide(over)
    assert ruling.decision is Decision.WAIT
    assert ruling.reason.endswith("release of v2 ended at 2026-01-02 03:04 UTC")
    assert json.loads(ruling.as_json("v2"))["figures"]["verdict"] == "better"


def test_silence_makes_go_a_wait_that_says_what_is_silent():
    ruling = unless_silent(decide(evidence("better", 0.02)), ["the metrics of blue"])
    assert (ruling.decision, ruling.reason) == (Decision.WAIT, "the metrics of blue")


def test_silence_does_not_save_what_is_to_be_stopped():
    ruling = decide(evidence("worse", -0.5))
    assert unless_silent(ruling, ["the metrics of blue"]) == ruling


def test_a_ruling_is_one_line_of_json_with_its_figures():
    line = decide(evidence("worse", -0.5)).as_json("v2")
    assert "\n" not in line
    told = json.loads(line)
    assert (told["version"], told["decision"], told["reason"]) == ("v2", "stop", "so it is")
    assert told["figures"]["low"] == -0.5
    assert told["figures"]["control_people"] == 900


def test_exit_statuses_tell_the_decisions_apart():
    assert [one.exit_status for one in (Decision.GO, Decision.WAIT, Decision.STOP)] == [0, 3, 1]

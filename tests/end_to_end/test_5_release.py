"""A model is replaced, and put back, while people ask: 300 requests a second, none failed."""

import json
import os
import subprocess
from typing import Any

import pytest

from tests.end_to_end.conftest import Stack
from tests.end_to_end.load import Load, Outcome, under
from tests.waiting import eventually

RATE = 300
SLOTS = ("recommender-blue", "recommender-green")


def marked(stack: Stack, mark: str) -> Load:
    """A load whose requests can be told from everybody else's in Nginx's log.

    Who hangs answers nobody for ever; how many are answered in time is for a benchmark to say.
    """
    return Load(port=stack.nginx_port, rate=RATE, path="/recommend/{}?" + mark, patience=5)


def logged(stack: Stack, mark: str) -> list[dict[str, Any]]:
    """What Nginx logged of a marked load."""
    lines = stack.compose("logs", "--no-log-prefix", "--no-color", "nginx").splitlines()
    requests = [line[line.index("{") :] for line in lines if f'?{mark} HTTP/1.1","status"' in line]
    return [json.loads(request) for request in requests]


def assert_none_failed(stack: Stack, mark: str, outcome: Outcome) -> None:
    """No request failed, and Nginx counts as many as the callers do."""
    assert outcome.sent > RATE
    assert not outcome.failures
    eventually(lambda: len(logged(stack, mark)) >= outcome.sent, 15, "Nginx's log of all requests")
    assert [request["status"] for request in logged(stack, mark)] == [200] * outcome.sent


def images(stack: Stack) -> set[str]:
    """What the slots run."""
    return {stack.container(slot)["Image"] for slot in SLOTS}


def build_other_code() -> None:
    """As `make images` does after a commit."""
    candidate = os.environ["IMAGE_PREFIX"] + "/recommender:candidate"
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", candidate, "-"],
        input=f"FROM {candidate}\nLABEL release=another\n".encode(),
        check=True,
    )


def test_the_plan_of_a_release_of_code_names_each_step_and_changes_nothing(stack):
    build_other_code()
    before = [stack.container(slot)["Id"] for slot in SLOTS]
    done = stack.make("release-code", "PLAN=1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [word for word in ("code", "replay", "promote") if f" {word} " not in done.stdout] == []
    assert [stack.container(slot)["Id"] for slot in SLOTS] == before


def test_the_slots_images_are_replaced_without_a_failed_request(stack):
    build_other_code()
    before = {slot: stack.container(slot)["Image"] for slot in SLOTS}
    with under(marked(stack, "code")) as outcome:
        done = stack.make("release-code")
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(stack.container(slot)["Image"] != image for slot, image in before.items())
    assert len(images(stack)) == 1
    assert_none_failed(stack, "code", outcome)


def test_a_release_of_code_is_recorded_judged_and_certified_as_one_of_a_model(stack):
    ((job, certificate),) = stack.sql(
        "SELECT job_id, certificate FROM deployment WHERE step = 'promote'"
        " AND action = 'code release' ORDER BY step_id DESC LIMIT 1"
    )
    steps = stack.sql(f"SELECT step FROM deployment WHERE job_id = {job} ORDER BY step_id")
    assert [step for (step,) in steps][:4] == ["start", "place", "code", "ready"]
    assert "replay" in [step for (step,) in steps]
    assert {("shift",), ("watch",)} < set(steps)
    told = json.loads(certificate)
    assert {gate["evidence"] for gate in told["gates"]} == {"live", "replayed"}
    got = f"SELECT slot, outcome, image_id FROM code_release WHERE job_id = {job}"
    image_id = told["code"]["image_id"]
    kept = {(slot, "released", image_id) for slot in ("blue", "green")}
    tried = {(told["slot"], outcome, image_id) for outcome in ("given", "placed")}
    assert set(stack.sql(got)) == kept | tried
    assert images(stack) == {image_id}
    checked = stack.make("certificates")
    assert checked.returncode == 0, checked.stdout
    assert "went live by a code release" in stack.make("story").stdout


def test_after_a_release_of_code_starting_it_again_recreates_nothing(stack):
    before = {slot: stack.container(slot)["State"]["StartedAt"] for slot in SLOTS}
    stack.compose("up", "--detach", "--no-build")
    assert {slot: stack.container(slot)["State"]["StartedAt"] for slot in SLOTS} == before


def test_a_rollback_after_a_release_of_code_brings_the_code_before_back(stack):
    live = "SELECT live_version FROM deployment ORDER BY step_id DESC LIMIT 1"
    left, version = images(stack), stack.sql(live)
    with under(marked(stack, "code-back")) as outcome:
        done = stack.make("rollback")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(images(stack)) == 1
    assert not images(stack) & left
    assert stack.sql(live) == version
    assert_none_failed(stack, "code-back", outcome)


@pytest.mark.parametrize("command", [("rollback",), ("release", "QUALITY=skip")])
def test_what_is_live_changes_without_a_failed_request(stack, command):
    target = command[0]
    before = stack.sql("SELECT live_version FROM deployment ORDER BY step_id DESC LIMIT 1")
    with under(marked(stack, target)) as outcome:
        done = stack.make(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    after = stack.sql("SELECT live_version FROM deployment ORDER BY step_id DESC LIMIT 1")
    assert after != before
    assert_none_failed(stack, target, outcome)


def test_each_step_of_a_release_is_recorded(stack):
    steps = stack.sql(
        "SELECT array_agg(step ORDER BY step_id) FROM deployment"
        " WHERE action = 'release' GROUP BY job_id ORDER BY max(step_id) DESC LIMIT 1"
    )
    assert steps[0][0][0] == "start"
    assert {"place", "ready", "shift", "watch", "promote"} <= set(steps[0][0])


@pytest.mark.parametrize("slot", SLOTS)
def test_a_killed_slot_costs_no_request(stack, slot):
    with under(marked(stack, slot)) as outcome:
        stack.kill(slot)
        stack.start(slot)
    assert_none_failed(stack, slot, outcome)


def test_with_both_slots_killed_everybody_still_gets_a_list(stack):
    with under(marked(stack, "both")) as outcome:
        stack.kill(*SLOTS)
        stack.start(*SLOTS)
    assert_none_failed(stack, "both", outcome)

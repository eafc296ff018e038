"""What serving depends on fails while people ask, 300 a second: none of them notices, and
the stream loses nothing.

Each fault is played once; DRILL_ROUNDS plays it more often. A request that fails, or that
the callers count and Nginx does not, fails the test.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from tests.end_to_end.conftest import Stack
from tests.end_to_end.load import Outcome, under
from tests.end_to_end.test_5_release import assert_none_failed, logged, marked
from tests.end_to_end.test_6_faults import assert_it_goes_on_and_balances, end_offsets
from tests.waiting import eventually

ROUNDS = range(int(os.environ.get("DRILL_ROUNDS", "1")))
SLOTS = ("recommender-blue", "recommender-green")
TOUCHED = ("postgres", "kafka", *SLOTS)
FAULT_SECONDS = 3
USERS_A_ROUND = 100_000
FIRST_USERS = count(900_000_000, USERS_A_ROUND)
"""Nobody else asks for these users, so their receipts are those of one load."""

READINESS = """
from urllib.error import HTTPError
from urllib.request import urlopen
try:
    print(urlopen("http://127.0.0.1:8000/readyz", timeout=3).read().decode())
except HTTPError as error:
    print(error.read().decode())
"""


@pytest.fixture(params=ROUNDS)
def mark(request):
    """Marks the requests of one round of one test in Nginx's log."""
    return f"{request.node.originalname}-{request.param}"


@pytest.fixture
def users():
    """User ids that no other test asks for."""
    first = next(FIRST_USERS)
    return range(first, first + USERS_A_ROUND)


@pytest.fixture(autouse=True)
def whole_stack(stack):
    """Whatever a test leaves stopped is started again; all is well before the next begins."""
    yield
    stack.compose("unpause", check=False)
    stack.start(*TOUCHED)


@contextmanager
def asked(stack: Stack, mark: str, users: range) -> Iterator[Outcome]:
    """People ask while the block runs; none of their requests may fail."""
    with under(replace(marked(stack, mark), user_ids=users)) as outcome:
        yield outcome
        answered = outcome.sent
        eventually(lambda: outcome.sent > answered + 300, 30, "requests after the fault")
    assert_none_failed(stack, mark, outcome)


def during(outcome: Outcome) -> None:
    """Wait until people have asked for some seconds more."""
    answered = outcome.sent
    eventually(lambda: outcome.sent >= answered + FAULT_SECONDS * 300, 60, "requests meanwhile")


def readiness(stack: Stack, slot: str) -> dict[str, object]:
    """What a slot says of itself, inside its container."""
    return json.loads(stack.compose("exec", "-T", slot, "python3", "-c", READINESS))


def receipts(stack: Stack, users: range) -> tuple[int, int]:
    """How many receipts these users have, and how many of them differ."""
    query = (
        "SELECT count(*), count(DISTINCT receipt_id) FROM receipt"
        f" WHERE user_id BETWEEN {users[0]} AND {users[-1]}"
    )
    return stack.sql(query)[0]


def made_by_slots(stack: Stack, mark: str) -> list[dict[str, Any]]:
    """The requests that a slot answered; what Nginx answered itself leaves no receipt."""
    return [request for request in logged(stack, mark) if request["list"] == "slot"]


def without_receipt(
    stack: Stack, users: range, requests: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Those of these requests whose users, each of whom asked once, have no receipt."""
    query = f"SELECT user_id FROM receipt WHERE user_id BETWEEN {users[0]} AND {users[-1]}"
    have = {user for (user,) in stack.sql(query)}
    return [request for request in requests if int(request["user"]) not in have]


def where_receipts_are(stack: Stack, missing: list[dict[str, Any]]) -> str:
    """Whose receipts are missing, from when, of which slot, and what the slots still hold."""
    told = [f"user {of['user']} at {of['time']} by {of['upstream']}" for of in missing]
    waiting = {slot: readiness(stack, slot)["receipts_queued"] for slot in SLOTS}
    return f"{len(told)} receipts missing, first {told[:3]}, last {told[-3:]}; waiting: {waiting}"


def assert_each_answer_left_one_receipt(stack: Stack, mark: str, users: range) -> None:
    """What was spooled has been stored, and nothing twice.

    Where Nginx did not wait for a slot (504), that one may have answered, too, unheard.
    """
    answered = made_by_slots(stack, mark)
    assert answered
    eventually(
        lambda: not without_receipt(stack, users, answered),
        120,
        lambda: where_receipts_are(stack, without_receipt(stack, users, answered)),
    )
    unheard = sum(request["upstream_status"].count("504") for request in logged(stack, mark))
    number, different = receipts(stack, users)
    assert number == different
    assert len(answered) <= number <= len(answered) + unheard


@pytest.mark.parametrize("slot", SLOTS)
def test_a_slot_that_hangs_costs_no_request(stack, mark, users, slot):
    with asked(stack, f"{mark}-{slot}", users) as outcome:
        stack.compose("pause", slot)
        during(outcome)
        stack.compose("unpause", slot)


def test_with_both_slots_hanging_everybody_still_gets_a_list(stack, mark, users):
    with asked(stack, mark, users) as outcome:
        stack.compose("pause", *SLOTS)
        during(outcome)
        stack.compose("unpause", *SLOTS)


def test_a_killed_postgresql_costs_no_request_no_receipt_and_no_line(stack, mark, users):
    with asked(stack, mark, users) as outcome:
        stack.kill("postgres")
        during(outcome)
        stack.start("postgres")
    assert_each_answer_left_one_receipt(stack, mark, users)
    assert_it_goes_on_and_balances(stack)


def test_a_postgresql_that_hangs_costs_no_request_and_no_receipt(stack, mark, users):
    with asked(stack, mark, users) as outcome:
        stack.compose("pause", "postgres")
        during(outcome)
        stack.compose("unpause", "postgres")
    assert_each_answer_left_one_receipt(stack, mark, users)


def test_a_killed_kafka_costs_no_request_and_no_line(stack, mark, users):
    before = end_offsets()
    with asked(stack, mark, users) as outcome:
        stack.kill("kafka")
        during(outcome)
        stack.start("kafka")
    assert all(end_offsets()[partition] >= end for partition, end in before.items())
    assert_it_goes_on_and_balances(stack)


def test_a_models_volume_that_cannot_be_written_keeps_no_slot_from_starting(stack, mark, users):
    with (
        asked(stack, mark, users),
        unwritable(stack, "trainer", "/var/lib/marquee/models/versions"),
    ):
        stack.kill("recommender-blue")
        stack.start("recommender-blue")
        eventually(lambda: readiness(stack, "recommender-blue")["ready"], 30, "a loaded model")


def test_a_training_on_a_models_volume_that_cannot_be_written_says_so_and_costs_no_request(
    stack, mark, users
):
    live = readiness(stack, "recommender-blue")["model_version"]
    with (
        asked(stack, mark, users),
        unwritable(stack, "trainer", "/var/lib/marquee/models/versions"),
    ):
        said = stack.make("retrain")
        assert said.returncode != 0
        assert "no version was trained: it could not be written" in said.stdout + said.stderr
        assert readiness(stack, "recommender-blue")["model_version"] == live


@pytest.mark.parametrize("slot", SLOTS)
def test_a_slot_that_is_recreated_costs_no_request_and_no_receipt(stack, mark, users, slot):
    with asked(stack, f"{mark}-{slot}", users) as outcome:
        stack.compose("up", "--detach", "--no-build", "--force-recreate", "--wait", slot)
        during(outcome)
    assert_each_answer_left_one_receipt(stack, f"{mark}-{slot}", users)


@pytest.mark.parametrize("slot", SLOTS)
def test_a_receipts_volume_that_cannot_be_written_costs_no_request(stack, mark, users, slot):
    """Receipts wait in memory, and reach PostgreSQL when the volume takes them again."""
    with (
        asked(stack, f"{mark}-{slot}", users) as outcome,
        unwritable(stack, slot, "/var/lib/marquee/receipts"),
    ):
        during(outcome)
    assert_each_answer_left_one_receipt(stack, f"{mark}-{slot}", users)


@contextmanager
def unwritable(stack: Stack, service: str, folder: str) -> Iterator[None]:
    """Nobody can write to a folder and to what is in it, as on a volume that is full."""
    change = ("exec", "-T", service, "chmod", "--recursive")
    stack.compose(*change, "a-w", folder)
    try:
        yield
    finally:
        stack.compose(*change, "u+w", folder)


def truncated(version: str) -> str:
    """Shell: a version of which one array was only half written."""
    return f"truncate --size 64 {version}/popular.npy"


def unfinished(version: str) -> str:
    """Shell: a version of which files are missing."""
    return f"rm {version}/top_items.npy {version}/movies.txt"


def flipped(version: str) -> str:
    """Shell: a version with one byte changed."""
    return f"printf X | dd of={version}/top_items.npy bs=1 seek=4000 conv=notrunc status=none"


def too_new(version: str) -> str:
    """Shell: a version that a later release of the code wrote, and that is whole."""
    return (
        f'sed -i \'s/"schema": [0-9]*/"schema": 99/\' {version}/manifest.json &&'
        f" cd {version} && sha256sum manifest.json > manifest.sha256"
    )


@pytest.mark.parametrize("damage", [truncated, unfinished, flipped, too_new])
def test_a_model_that_must_not_answer_is_refused_and_the_last_good_one_stays(
    stack, mark, users, damage: Callable[[str], str]
):
    before = readiness(stack, "recommender-green")["model_version"]
    bad = f"99990101-000000-{damage.__name__.replace('_', '-')}"
    with asked(stack, f"{mark}-{damage.__name__}", users), offered(stack, before, bad, damage):
        eventually(lambda: readiness(stack, "recommender-green")["refused"] == bad, 30, "a refusal")
        said = readiness(stack, "recommender-green")
        assert (said["ready"], said["model_version"]) == (True, before)
    eventually(
        lambda: readiness(stack, "recommender-green")["refused"] is None, 30, "the old assignment"
    )


@contextmanager
def offered(stack: Stack, good: str, bad: str, damage: Callable[[str], str]) -> Iterator[None]:
    """Assign a damaged copy of a version to the green slot; put all back afterwards."""
    versions = "/var/lib/marquee/models/versions"
    copy = f"cp -r {versions}/{good} {versions}/{bad} && {damage(f'{versions}/{bad}')}"
    stack.compose("exec", "-T", "trainer", "sh", "-c", copy)
    assign(stack, bad)
    try:
        yield
    finally:
        assign(stack, good)
        with suppress(AssertionError):
            stack.compose("exec", "-T", "trainer", "rm", "-r", f"{versions}/{bad}")


def assign(stack: Stack, version: str) -> None:
    """Write the green slot's assignment as a release does: whole, by a rename."""
    file = "/var/lib/marquee/state/slots/green.json"
    content = json.dumps({"model_version": version, "assigned_at": "2026-01-01T00:00:00+00:00"})
    write = f"cat > {file}.tmp && mv {file}.tmp {file}"
    stack.compose("exec", "-T", "releaser", "sh", "-c", write, given=content)

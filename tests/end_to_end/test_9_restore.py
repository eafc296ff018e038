"""A backup becomes a second stack beside the first: the same data, model, answers and receipts."""

import os
import shutil
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Stack
from tests.end_to_end.second_stack import PROJECT, Clone, clone_checkout, names_and_ports
from tests.end_to_end.test_6_faults import end_offsets, landed
from tests.end_to_end.test_7_following_an_answer import answer_in_full, explained
from tests.engine import docker
from tests.waiting import eventually

BACKUPS = Path(os.environ.get("BACKUP_DIRECTORY", "/var/tmp/marquee-test-backups"))  # noqa: S108 -- on the host
PEOPLE = range(1, 101)

pytestmark = pytest.mark.timeout(1200)  # a whole stack starts


@pytest.fixture(scope="module")
def quiet(stack) -> Iterator[Stack]:
    """The first stack, where nobody writes any more and all has landed."""
    stack.compose("stop", "simulator")
    eventually(lambda: landed(stack) == sum(end_offsets().values()), 120, "every line landed")
    yield stack
    stack.compose("start", "simulator")
    eventually(lambda: stack.is_healthy("simulator"), 240, "people about again")


@pytest.fixture(scope="module")
def receipt(quiet) -> str:
    """The id of an answer that was given, and whose receipt was stored, before the backup."""
    found = str(answer_in_full(quiet, 42)["receipt_id"])
    eventually(lambda: explained(quiet, found), 120, "the receipt stored")
    return found


@pytest.fixture(scope="module")
def backup(quiet, receipt) -> Iterator[Path]:
    assert receipt
    done = quiet.make("backup")
    assert done.returncode == 0, done.stdout + done.stderr
    folder = BACKUPS / done.stdout.splitlines()[-1].split()[1].rstrip(":")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Iterator[Clone]:
    made = clone_checkout(tmp_path_factory.mktemp("second") / "marquee")
    yield made
    made.remove()


@pytest.fixture(scope="module")
def elsewhere() -> list[str]:
    return names_and_ports()


@pytest.fixture(scope="module")
def restored(backup, clone, elsewhere) -> Clone:
    done = clone.restore_by_hand(backup, *elsewhere)
    print(done.drawn)  # noqa: T201 -- when each step began; pytest shows it where a test fails
    assert done.returncode == 0
    return clone


def volumes() -> str:
    return docker("volume", "ls", "--quiet", f"--filter=name={PROJECT}_")


def test_a_backup_that_was_cut_off_is_refused_and_nothing_begun(backup, clone, elsewhere):
    cut = backup.with_name(f"{backup.name}-cut")
    shutil.copytree(backup, cut)
    try:
        os.truncate(cut / "models.tar", (cut / "models.tar").stat().st_size // 2)
        done = clone.restore(cut, *elsewhere)
    finally:
        shutil.rmtree(cut)
    assert done.returncode != 0
    assert "models.tar" in done.stderr
    assert "is not whole" in done.stderr
    assert volumes() == ""


def test_the_same_version_is_live(quiet, restored):
    asked = "SELECT live_version FROM deployment ORDER BY step_id DESC LIMIT 1"
    assert restored.sql(asked).strip() == quiet.sql(asked)[0][0]


def test_every_line_is_there_and_the_audit_balances(quiet, restored):
    asked = "SELECT sum(next_offset - first_offset) FROM stream_offset"
    eventually(
        lambda: "0 of " in restored.compose("logs", "simulator"), 60, "the history asked for"
    )
    assert "history: 0 of " in restored.compose("logs", "--no-log-prefix", "simulator")
    assert landed(quiet) <= int(restored.sql(asked)) < landed(quiet) + 1000  # of people since then
    audited = restored.compose("exec", "-T", "retention", "python", "-m", "ingest", "audit")
    assert "balance" in audited


def test_a_hundred_people_are_given_the_same_lists(quiet, restored, elsewhere):
    port = next(int(text[len("NGINX_PORT=") :]) for text in elsewhere if "NGINX_PORT" in text)

    def differing() -> list[int]:
        return [user for user in PEOPLE if asked(port, user) != asked(quiet.nginx_port, user)]

    assert restored
    eventually(lambda: not differing(), 240, "the same lists")


def asked(port: int, user: int) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", f"/recommend/{user}")
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read().decode()
    finally:
        connection.close()


def test_an_answer_from_before_the_backup_is_explained_alike(quiet, restored, receipt):
    explain = ("python", "-m", "recommender", "explain", receipt)
    said = restored.compose("exec", "-T", "recommender-blue", *explain)
    assert "reason   " in said
    assert said == explained(quiet, receipt)


def test_who_does_not_type_replace_keeps_what_there_is(backup, restored):
    asked = "SELECT count(*) FROM deployment"
    before = restored.sql(asked)
    done = restored.restore_by_hand(backup, answer="yes")
    assert done.returncode != 0
    assert "nothing was replaced or stopped" in done.drawn
    assert restored.sql(asked) == before

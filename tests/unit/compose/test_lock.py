"""Two commands that change one stack at once: one waits."""

import os
import subprocess
import uuid
from pathlib import Path

import pytest

from tests.unit.compose.shell import CHECKOUT, bash

LOCKED = (
    "source compose/up/say.sh; source compose/up/lock.sh; hold_lock {name}; echo has it; read -r _"
)


def start(name):
    return subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", LOCKED.format(name=name)],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_second_waits_for_the_first_and_says_so():
    name = f"test-{uuid.uuid4()}"
    with start(name) as first:
        assert first.stdout.readline() == "has it\n"
        with start(name) as second:
            assert "waits for its end" in second.stdout.readline()
            assert first.poll() is None
            first.communicate("go on\n")
            assert second.stdout.readline() == "has it\n"
            second.communicate("go on\n")


def test_one_that_was_killed_holds_nobody_up():
    name = f"test-{uuid.uuid4()}"
    with start(name) as first:
        assert first.stdout.readline() == "has it\n"
        first.kill()
    with start(name) as second:
        assert second.stdout.readline() == "has it\n"
        second.communicate("go on\n")


def test_another_stack_is_not_waited_for():
    with start(f"test-{uuid.uuid4()}") as first, start(f"test-{uuid.uuid4()}") as second:
        assert first.stdout.readline() == second.stdout.readline() == "has it\n"
        first.communicate("go on\n")
        second.communicate("go on\n")


@pytest.mark.parametrize(
    "put",
    [os.mkfifo, Path.touch, lambda path: path.symlink_to("/dev/null")],
    ids=["fifo", "file", "link to a device"],
)
def test_what_is_no_folder_in_its_place_holds_nobody_up(put):
    name = f"test-{uuid.uuid4()}"
    path = Path(f"/tmp/{name}.lock")  # noqa: S108 -- where the scripts look
    put(path)
    try:
        done = bash(LOCKED.format(name=name))
    finally:
        path.unlink()
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{path} is no folder" in done.stderr

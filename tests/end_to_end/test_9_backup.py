"""A backup of the whole stack is taken while everything runs, and proves whole."""

from collections.abc import Iterator

import pytest

FOLDER = "/var/backups/marquee"


@pytest.fixture(scope="module")
def backup(stack) -> Iterator[str]:
    """The folder of a backup that `make backup` took, as its service sees it."""
    done = stack.make("backup")
    assert done.returncode == 0, done.stdout + done.stderr
    name = done.stdout.splitlines()[-1].split()[1].rstrip(":")
    yield f"{FOLDER}/{name}"
    stack.compose("exec", "-T", "backup", "rm", "-r", f"{FOLDER}/{name}")  # and no other stack's


def test_it_is_whole_and_names_what_is_live(stack, backup):
    check = ("python", "-m", "compose.backup", "check", backup)
    said = stack.compose("exec", "-T", "backup", *check)
    ((live,),) = stack.sql("SELECT live_version FROM deployment ORDER BY step_id DESC LIMIT 1")
    assert f"live {live}," in said


def test_root_alone_can_read_it(stack, backup):
    modes = stack.compose("exec", "-T", "backup", "stat", "--format=%u %a", backup)
    assert modes.split() == ["0", "700"]


@pytest.mark.usefixtures("backup")
def test_status_tells_how_old_it_is(stack):
    assert "last backup" in stack.make("status").stdout

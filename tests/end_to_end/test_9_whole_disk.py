"""One disk is full for everything at once, in the middle of a release, and has room again.

ONE_DISK: the folder where that disk is mounted (tests/run/whole_disk.sh, in make drill).
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitoring.status.containers import LONG_RUNNING
from tests.end_to_end.conftest import CHECKOUT
from tests.end_to_end.load import Load, under
from tests.end_to_end.test_6_faults import assert_it_goes_on_and_balances
from tests.waiting import eventually

pytestmark = [
    pytest.mark.skipif("ONE_DISK" not in os.environ, reason="a small disk: in make drill"),
    pytest.mark.timeout(1200),
]

FULL_SECONDS = 90
SERVICES = (*LONG_RUNNING, "simulator")
BLOCK = bytes(1 << 20)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Take all that is left, until the block ends."""
    filler = disk / "filler"
    fill(filler)
    try:
        yield
    finally:
        filler.unlink()


def fill(filler: Path) -> None:
    for size in (1 << 20, 1 << 12, 1):
        try:
            with filler.open("ab", buffering=0) as file:
                while file.write(BLOCK[:size]):
                    pass
        except OSError:
            continue


def left(disk: Path) -> int:
    return shutil.disk_usage(disk).free


def steps(stack) -> int:
    return int(stack.sql("SELECT count(*) FROM deployment")[0][0])


def unwell(stack):
    return [service for service in SERVICES if not stack.is_healthy(service)]


@pytest.fixture
def disk() -> Path:
    return Path(os.environ["ONE_DISK"])


def test_a_disk_full_for_all_costs_no_request_and_all_go_on_by_themselves(stack, disk):
    before = steps(stack)
    release = subprocess.Popen(["make", "release"], cwd=CHECKOUT, stdout=subprocess.DEVNULL)
    eventually(lambda: steps(stack) > before + 2, 120, "a release on its way")
    asked = Load(stack.nginx_port, rate=50, connections=4, patience=5)  # answered, if not in time
    with under(asked) as outcome:
        with full(disk):
            assert left(disk) < len(BLOCK)
            for _ in range(FULL_SECONDS):
                fill(disk / "filler")  # what a service gives back is taken, too
                time.sleep(1)
        eventually(lambda: not unwell(stack), 600, lambda: f"{unwell(stack)} well")
    release.wait(timeout=300)
    assert outcome.failed == 0, outcome.failures
    assert_it_goes_on_and_balances(stack)
    done = stack.make("release", "QUALITY=skip")
    assert done.returncode == 0, done.stdout + done.stderr

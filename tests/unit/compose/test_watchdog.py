"""A main loop that stands still ends its process; one that is slow, or was stopped, does not."""

import subprocess
import sys

import pytest

from compose.service.watchdog import HUNG, is_still

HANGING = """
import time
from compose.service import watchdog
watchdog.LOOK_SECONDS, watchdog.LOOKS = 0.02, 5
with watchdog.watched() as turned:
    turned()
    time.sleep(600)
"""


def looks_until_still(counts: list[int], looks: int) -> int:
    """How many looks it takes; the loop has turned so often at each of them."""
    remaining = iter(counts)
    taken = 0

    def over() -> bool:
        nonlocal taken
        taken += 1
        return False

    assert is_still(lambda: next(remaining), over, looks)
    return taken


@pytest.mark.parametrize(
    ("counts", "looks", "taken"),
    [
        ([0, 0, 0, 0], 3, 3),
        ([0, 1, 1, 1, 1], 3, 4),
        ([0, 0, 0, 1, 1, 1, 1], 3, 6),  # slow: it turned before it was too late
        ([5, 5], 1, 1),
    ],
)
def test_only_looks_in_a_row_at_a_loop_that_does_not_turn_count(counts, looks, taken):
    assert looks_until_still(counts, looks) == taken


def test_a_loop_that_has_ended_is_not_waited_for():
    assert not is_still(lambda: 0, lambda: True, 3)


def test_a_process_whose_loop_hangs_ends_and_says_why():
    done = subprocess.run(
        [sys.executable, "-c", HANGING], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == HUNG
    assert "the main loop stands still" in done.stdout + done.stderr

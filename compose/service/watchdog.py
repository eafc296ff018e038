"""Ends a process whose main loop stands still, so that the engine starts it anew.

The engine restarts what ends and leaves alone what hangs, however unhealthy it finds it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Event, Thread

import structlog

LOG = structlog.get_logger()

LOOK_SECONDS = 5.0
LOOKS = 36
"""So many looks in a row, three minutes, at a loop that did not turn are enough. Looks are counted
and not time: a process that was stopped, or a host that slept, gets all of them afterwards."""
HUNG = 70
"""The exit status of a process that was ended so: sysexits.h calls it an internal error."""


@contextmanager
def watched() -> Iterator[Callable[[], None]]:
    """Call what this gives at each turn of the loop: where that stays away, the process ends."""
    turns = count()
    seen = [next(turns)]
    over = Event()

    def turned() -> None:
        seen[0] = next(turns)

    def guard() -> None:
        if is_still(lambda: seen[0], lambda: over.wait(LOOK_SECONDS), LOOKS):
            LOG.critical("ended: the main loop stands still", seconds=LOOK_SECONDS * LOOKS)
            os._exit(HUNG)  # what hangs would hold up an orderly end, too

    Thread(target=guard, name="watchdog", daemon=True).start()
    try:
        yield turned
    finally:
        over.set()


def is_still(turns: Callable[[], int], over: Callable[[], bool], looks: int) -> bool:
    """True once so many looks in a row found no more turns than the one before them.

    Args:
        turns: how often the loop has turned.
        over: waits until the next look is due; whether the loop has ended meanwhile.
        looks: how many.
    """
    seen, still = turns(), 0
    while still < looks:
        if over():
            return False
        now = turns()
        still = still + 1 if now == seen else 0
        seen = now
    return True

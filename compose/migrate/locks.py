"""Waits for tables that others hold, without holding up whoever comes after.

A change of a table waits for everybody who reads it, and everybody who comes later waits behind
that. So a change waits for a moment only, gives up, and tries again after a pause in which
others go on. People's idle transactions end after five minutes (roles.sql).
"""

import time
from collections.abc import Callable

import psycopg
import structlog

LOG = structlog.get_logger()

LOCK_TIMEOUT = "2s"
PAUSE_SECONDS = 3.0
ATTEMPTS = 150
"""Ten minutes or more: twice what an idle transaction of a person's may last."""


def patiently(
    change: Callable[[], None], what: str, pause: Callable[[float], None] = time.sleep
) -> None:
    """Do a change, and again while others hold what it needs.

    Args:
        change: all or nothing; its connection has LOCK_TIMEOUT.
        what: its name, for the log.
        pause: waits for so many seconds.

    Raises:
        psycopg.errors.LockNotAvailable: others held it all the time.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return change()
        except psycopg.errors.LockNotAvailable:
            if attempt == ATTEMPTS:
                raise
            LOG.warning("waiting for who holds a table", change=what, attempt=attempt)
        pause(PAUSE_SECONDS)
    return None

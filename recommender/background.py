"""Work done over and over beside the answers: whatever fails is logged, counted, tried again."""

import random
from collections.abc import Callable
from threading import Event

import structlog
from prometheus_client import Counter
from psycopg import OperationalError

from compose.service.assignment import AssignmentError
from recommender.errors import RecommenderError

LOG = structlog.get_logger()

FIRST_DELAY = 0.2
LONGEST_DELAY = 5.0


def repeat(
    name: str, step: Callable[[], None], every_seconds: float, stop: Event, failures: Counter
) -> None:
    """Do `step` every so many seconds, after failures less often, and once more after `stop`.

    If that is the first failure after a success, it is tried again: a connection may have broken.
    """
    failed = 0
    ending = False
    while not ending:
        stopping = stop.is_set()
        failed = 0 if _succeeds(name, step) else failed + 1
        ending = stopping and failed != 1
        if failed:
            failures.inc()
        stop.wait(delay_seconds(failed, random.random()) if failed else every_seconds)  # noqa: S311 -- jitter is no secret


def _succeeds(name: str, step: Callable[[], None]) -> bool:
    try:
        step()
    except OperationalError as error:
        LOG.warning("database out of reach", task=name, error=str(error).strip())
    except (OSError, AssignmentError, RecommenderError) as error:
        LOG.error("failed", task=name, error=str(error))  # noqa: TRY400 -- the message says it all
    except Exception:
        LOG.exception("failed", task=name)
    else:
        return True
    return False


def delay_seconds(failures: int, chance: float) -> float:
    """How long to wait after so many failures in a row: doubling, capped, half of it by chance.

    Args:
        failures: how many in a row, 1 or more.
        chance: 0 to 1.
    """
    full = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures - 1, 10))
    return full * (1 + chance) / 2

"""How soon a canary is stopped that people are worse off with, by a release and without a person.

    python -m tests.benchmarks.evaluation_canary [--rounds 10]

Real slots behind a real Nginx and a real database; a version whose movies are shuffled answers as
fast and as personally as the live one, so only what people do can tell. Fifty people a second ask,
a tenth of the buckets are the canary's, and what somebody does within ten seconds counts (a stack
with simulated people has three minutes, and with real ones a day). Evaluation looks once a second.
The figures are for tests.benchmarks.evaluation, which writes build/bench/evaluation.json.
"""

import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

import psycopg
import typer

from ci.errors import AbortedError
from tests.benchmarks.report import Figures
from tests.integration.town import Town, town
from tests.stores import as_role, migrated_database
from tests.waiting import eventually

PEOPLE = 20_000
RATE = 50
ROUNDS = 10
WARM_UP = 500
"""Answers before the first release."""
STOPPED = """
SELECT (SELECT min(time) FROM receipt WHERE model_version = %(version)s),
       (SELECT max(at) FROM deployment WHERE version = %(version)s AND step = 'abort'),
       (SELECT reason FROM deployment WHERE version = %(version)s AND step = 'abort')
"""
ANSWERS = "SELECT count(*), max(time) - min(time) FROM receipt"


def canary_figures(rounds: int, tell: Callable[[str], None]) -> Figures:
    """Median seconds from a bad canary's first answer to the gate's stop, and the rate kept."""
    with migrated_database("bench") as name, tempfile.TemporaryDirectory() as folder:
        conninfo = partial(as_role, name)
        with (
            town(
                Path(folder),
                conninfo,
                people=PEOPLE,
                release_steps=(100, 1000),
                release_watch_seconds=1,
                release_p99_seconds=60,  # a busy machine is no fault of a version's
                release_patience=timedelta(minutes=4),
                evaluation_horizon=timedelta(seconds=10),
            ) as lived,
            lived.lived_in(RATE, visits_a_look=RATE),
            psycopg.connect(conninfo("marquee"), autocommit=True) as owner,
        ):
            eventually(lambda: _answers(owner)[0] >= WARM_UP, 120, "the first people")
            seconds = [_stopped_after(lived, owner, number, tell) for number in range(rounds)]
            answers, took = _answers(owner)
    return {
        "stop_bad_canary_s": (median(seconds), "s"),
        "stop_bad_canary_requests_per_s": (answers / took.total_seconds(), "requests/s"),
    }


def _stopped_after(
    lived: Town, owner: psycopg.Connection, number: int, tell: Callable[[str], None]
) -> float:
    """Seconds from the first answer of a bad version to the gate's stop.

    Raises:
        RuntimeError: it was not the gate that stopped it.
    """
    version = f"202602{number + 1:02}-000000-ease"
    lived.train_shuffled(version)
    with suppress(AbortedError):
        lived.release(version)
    eventually(lambda: _stopped(owner, version)[0], 30, "stored receipts of the canary")
    first, stop, reason = _stopped(owner, version)
    if stop is None or not str(reason).startswith("the gate says stop"):
        raise RuntimeError(f"the gate did not stop {version}: {reason}")
    tell(f"bad canary {number + 1}: {(stop - first).total_seconds():.1f} s, {reason}")
    return (stop - first).total_seconds()


def _stopped(
    owner: psycopg.Connection, version: str
) -> tuple[datetime, datetime | None, str | None]:
    row = owner.execute(STOPPED, {"version": version}).fetchone()
    if row is None:
        raise LookupError(f"there is no row of {version}")
    return row[0], row[1], row[2]


def _answers(owner: psycopg.Connection) -> tuple[int, timedelta]:
    row = owner.execute(ANSWERS).fetchone()
    return (row[0], row[1]) if row else (0, timedelta())


def main(rounds: int = ROUNDS) -> None:
    """Measure and print."""
    for name, (value, unit) in canary_figures(rounds, typer.echo).items():
        typer.echo(f"{name}: {value:.4g} {unit}")


if __name__ == "__main__":
    typer.run(main)

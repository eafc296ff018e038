"""What a pass of online evaluation costs, and whether that grows with the history behind it.

    python -m tests.benchmarks.evaluation_pass [--lines 50000]

Heavy-tailed people who come back are answered, watch and rate; a pass takes up a stated number of
new lines, in one database with little before them and in another with ten times as many. The two
take turns, and each pair of passes gives a ratio, so that other work on the machine weighs on both.
The figures are for tests.benchmarks.evaluation, which writes build/bench/evaluation.json.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from statistics import median

import psycopg
import typer

from monitoring.evaluation.evaluation_pass import run_pass
from monitoring.evaluation.windows import Terms
from tests.benchmarks.report import Figures
from tests.stores import as_role, migrated_database

SEED = 0.5
PEOPLE = 20_000
MOVIES = 9_000
LINES_AN_ANSWER = 50
RUNS = 7
GROWTH = 10
TERMS = Terms(timedelta(minutes=10), timedelta(minutes=10), timedelta(days=2))
HISTORY = 4
"""Runs' lines that are there at first, so that from then on each pass judges one window."""

ANSWERS = """
INSERT INTO receipt (receipt_id, time, user_id, movie_ids, model_version, slot, bucket, arm,
                     reason, latency_ms)
SELECT gen_random_uuid(), %(start)s + n * %(step)s, ceil(%(people)s * random() ^ 3),
       ARRAY(SELECT 'movie+' || floor(%(movies)s * random() ^ 2) FROM generate_series(1, 20)
             WHERE n > 0),
       'v' || n %% 2, 'blue', n %% 1000, 'control', 'model', 1
FROM generate_series(1, %(answers)s) AS n
"""
WATCHES = """
INSERT INTO watch (time, user_id, movie_id, minute, log_partition, log_offset)
SELECT receipt.time + minute * interval '1 s', user_id,
       CASE WHEN hashtext(receipt_id::text) %% 3 = 0 THEN movie_ids[1 + abs(bucket) %% 20]
            ELSE 'movie+' || bucket END,
       minute, 0, %(offset)s + row_number() OVER (ORDER BY receipt.time, minute) - 1
FROM receipt
CROSS JOIN generate_series(1, %(minutes)s) AS minute
WHERE time > %(start)s AND time <= %(end)s
"""


def pass_figures(lines: int) -> Figures:
    """Seconds a million new lines, and how many times as much with ten times the history."""
    with _behind(HISTORY * lines, lines) as few, _behind(GROWTH * HISTORY * lines, lines) as many:
        pairs = [_pair(few, many) for _ in range(RUNS)]
    return {
        "pass_s_per_million_rows": (median(of_many for _, of_many in pairs) / lines * 1e6, "s"),
        "growth_10x": (median(of_many / of_few for of_few, of_many in pairs), "times"),
    }


@contextmanager
def _behind(history: int, lines: int) -> Iterator["_Stream"]:
    """A stream whose first lines, so many, are evaluated, in a database of its own."""
    with (
        migrated_database("bench") as name,
        _connected(name, "marquee") as owner,
        _connected(name, "evaluation") as evaluation,
    ):
        owner.execute("SELECT setseed(%s)", (SEED,))
        stream = _Stream(owner, evaluation, lines)
        stream.grow(history)
        stream.timed_pass()
        yield stream


def _pair(few: "_Stream", many: "_Stream") -> tuple[float, float]:
    """Seconds that a pass over the same number of new lines takes with each history."""
    for stream in (few, many):
        stream.grow(stream.lines)
    return few.timed_pass(), many.timed_pass()


@contextmanager
def _connected(name: str, role: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(as_role(name, role), autocommit=True) as connection:
        yield connection


class _Stream:
    """A stream that is made longer; each part comes after the one before."""

    def __init__(
        self, owner: psycopg.Connection, evaluation: psycopg.Connection, lines: int
    ) -> None:
        self._owner = owner
        self._evaluation = evaluation
        self.lines = lines
        self._offset = 0
        self.now = datetime.now(UTC) - timedelta(days=1)

    def grow(self, lines: int) -> None:
        """Land so many lines and the receipts before them."""
        answers = lines // LINES_AN_ANSWER
        step = TERMS.width / (self.lines // LINES_AN_ANSWER)  # a window for each run
        start, end = self.now, self.now + answers * step
        values = {
            "start": start,
            "end": end,
            "step": step,
            "answers": answers,
            "people": PEOPLE,
            "movies": MOVIES,
            "offset": self._offset,
            "minutes": LINES_AN_ANSWER,
        }
        self._owner.execute(ANSWERS, values)
        self._owner.execute(WATCHES, values)
        self._offset += lines
        self.now = end
        self._owner.execute(
            "INSERT INTO stream_offset VALUES ('log', 0, 0, %s) ON CONFLICT (topic, log_partition)"
            " DO UPDATE SET next_offset = excluded.next_offset",
            (self._offset,),
        )
        # as autovacuum leaves them
        self._owner.execute("VACUUM (ANALYZE) watch, receipt, person_movie, answer_credit")

    def timed_pass(self) -> float:
        """Do a pass over what is new; how many seconds it took."""
        begun = time.perf_counter()
        run_pass(self._evaluation, TERMS, self.now, lambda: False)
        return time.perf_counter() - begun


def main(lines: int = 50_000) -> None:
    """Measure and print."""
    for name, (value, unit) in pass_figures(lines).items():
        typer.echo(f"{name}: {value:.4g} {unit}")


if __name__ == "__main__":
    typer.run(main)

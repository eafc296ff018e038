"""What experiments say, for people: a sentence, and the interval of each look there was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from monitoring.experiments.assignment import ExperimentKind

DIFFERENCES = {
    ExperimentKind.AB: "more people who watched something recommended",
    ExperimentKind.INTERLEAVING: "more movies watched of the challenger's",
}
FIGURES = {ExperimentKind.AB: "lift", ExperimentKind.INTERLEAVING: "preference"}
SUMMARIES = """
SELECT experiment_id, name, kind, challenger, control, share, people, verdict, reason, low, value,
       high, started_at, ended_at, end_reason
FROM experiment_verdict
ORDER BY experiment_id DESC
LIMIT %s
"""
LOOKS = """
SELECT looked_at, low, value, high
FROM experiment_look
WHERE experiment_id = %s AND verdict IS NOT NULL AND low IS NOT NULL
ORDER BY looked_at
"""


@dataclass(frozen=True)
class Summary:
    """An experiment and what it says so far; without a look it says nothing yet."""

    experiment_id: int
    name: str
    kind: str
    challenger: str
    control: str
    share: int | None
    people: int | None
    verdict: str | None
    reason: str | None
    low: float | None
    value: float | None
    high: float | None
    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None

    @property
    def difference(self) -> str:
        """What `value` is, in a few words."""
        return DIFFERENCES[ExperimentKind(self.kind)]

    @property
    def figure(self) -> str:
        """What `value` is called."""
        return FIGURES[ExperimentKind(self.kind)]

    @property
    def sentence(self) -> str:
        """One sentence for somebody who knows no statistics."""
        said = self.reason or "nobody's time in it is over yet"
        return f"{self.name}, challenger {self.challenger}: {said}; {self._end(said)}."

    def _end(self, said: str) -> str:
        if self.ended_at is None:
            return "it goes on"
        return "that ended it" if said in str(self.end_reason) else f"ended: {self.end_reason}"


@dataclass(frozen=True)
class Look:
    """The interval at one look."""

    looked_at: datetime
    low: float
    value: float
    high: float


def summaries(connection: psycopg.Connection, at_most: int = 20) -> list[Summary]:
    """What each experiment says so far, the newest first."""
    with connection.cursor(row_factory=class_row(Summary)) as cursor:
        return cursor.execute(SUMMARIES, (at_most,)).fetchall()


def looks(connection: psycopg.Connection, experiment_id: int) -> Sequence[Look]:
    """How the interval of the figure that decides went, look by look."""
    with connection.cursor(row_factory=class_row(Look)) as cursor:
        return cursor.execute(LOOKS, (experiment_id,)).fetchall()

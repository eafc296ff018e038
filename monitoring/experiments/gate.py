"""The gate: whether a version that is tried on people may go on, by what they did so far."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import assert_never

import psycopg
from psycopg.rows import class_row

from monitoring.experiments.verdict import Word


class Decision(StrEnum):
    """What becomes of a version; whoever releases one obeys it."""

    GO = "go"
    WAIT = "wait"
    STOP = "stop"

    @property
    def exit_status(self) -> int:
        """What the command ends with, so that a shell script can obey it, too."""
        return {Decision.GO: 0, Decision.STOP: 1, Decision.WAIT: 3}[self]


@dataclass(frozen=True)
class LatestVerdict:
    """The newest experiment with the version as its challenger: its last look before it ended."""

    experiment: str
    control: str
    margin: float
    verdict: str | None
    """None before the first look."""
    reason: str | None
    control_people: int | None
    challenger_people: int | None
    low: float | None
    value: float | None
    high: float | None


@dataclass(frozen=True)
class Ruling:
    """A decision, why, and the figures it rests on; none where nothing was found."""

    decision: Decision
    reason: str
    evidence: LatestVerdict | None = None

    def as_json(self, version: str) -> str:
        """One line for whoever asked about the version."""
        figures = asdict(self.evidence) if self.evidence else {}
        figures.pop("reason", None)  # it stands in the ruling's own
        told = {"version": version, "decision": self.decision, "reason": self.reason}
        return json.dumps(told | {"figures": figures})


EVIDENCE = """
SELECT experiment.name AS experiment, experiment.control, experiment.margin, look.verdict,
       look.reason, look.control_people, look.challenger_people, look.low, look.value, look.high
FROM experiment
LEFT JOIN LATERAL (
    SELECT * FROM experiment_look
    WHERE experiment_look.experiment_id = experiment.experiment_id AND verdict IS NOT NULL
    -- what it said when it ended: those who are counted after that change it no more
    ORDER BY looked_at > coalesce(experiment.ended_at, 'infinity'), looked_at DESC
    LIMIT 1
) AS look ON true
WHERE experiment.challenger = %s
ORDER BY experiment.experiment_id DESC
LIMIT 1
"""


def rule(connection: psycopg.Connection, version: str) -> Ruling:
    """Rule on a version by the newest experiment that tried it.

    Raises:
        LookupError: there is no such version.
    """
    known = connection.execute("SELECT FROM model_version WHERE version = %s", (version,))
    if known.fetchone() is None:
        raise LookupError(f"there is no version {version}")
    with connection.cursor(row_factory=class_row(LatestVerdict)) as cursor:
        return decide(cursor.execute(EVIDENCE, (version,)).fetchone())


def decide(evidence: LatestVerdict | None) -> Ruling:
    """Silence is never health: what has no evidence, or evidence of nothing, waits.

    It need not be shown that people are better off, only that they are not worse off by more
    than the margin: most models that replace a good one are about as good.
    """
    if evidence is None:
        return Ruling(Decision.WAIT, "no experiment has tried it on people")
    if evidence.verdict is None or evidence.reason is None:
        return Ruling(Decision.WAIT, "evaluation has not looked at the experiment yet", evidence)
    match Word(evidence.verdict):
        case Word.WORSE | Word.STOP:
            return Ruling(Decision.STOP, evidence.reason, evidence)
        case Word.BETTER | Word.NO_DIFFERENCE:
            return Ruling(Decision.GO, evidence.reason, evidence)
        case Word.UNDECIDED if evidence.low is not None and evidence.low > -evidence.margin:
            words = f"not worse by {evidence.margin:.0%} or more: {evidence.reason}"
            return Ruling(Decision.GO, words, evidence)
        case Word.UNDECIDED | Word.WAIT:
            return Ruling(Decision.WAIT, evidence.reason, evidence)
        case word:
            assert_never(word)


def unless_silent(ruling: Ruling, unread: list[str]) -> Ruling:
    """The ruling, or to wait while something that should be watched cannot be read.

    Args:
        ruling: what people's doings say.
        unread: what cannot be read, in words.
    """
    if not unread or ruling.decision is Decision.STOP:
        return ruling
    return Ruling(Decision.WAIT, "; ".join(unread), ruling.evidence)

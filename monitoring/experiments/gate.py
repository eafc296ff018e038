"""The gate: whether a version that is tried on people may go on, by what they did so far."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

import psycopg
from psycopg.rows import class_row

from monitoring.experiments.verdict import Word

MOMENT = "%Y-%m-%d %H:%M"


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
    past: datetime | None = None
    """When it ended, if the release that is going on did not begin it; None of what counts."""


@dataclass(frozen=True)
class Ruling:
    """A decision, why, and the figures it rests on; none where nothing was found."""

    decision: Decision
    reason: str
    evidence: LatestVerdict | None = None

    def as_json(self, version: str) -> str:
        """One line for whoever asked about the version."""
        figures = asdict(self.evidence) if self.evidence else {}
        for told_by_the_reason in ("reason", "past"):
            figures.pop(told_by_the_reason, None)
        told = {"version": version, "decision": self.decision, "reason": self.reason}
        return json.dumps(told | {"figures": figures})


EVIDENCE = """
WITH last AS (SELECT action, step, version FROM deployment ORDER BY step_id DESC LIMIT 1),
under_way AS (
    SELECT begun.at
    FROM last, LATERAL (
        SELECT at FROM deployment WHERE step = 'start' ORDER BY step_id DESC LIMIT 1
    ) AS begun
    WHERE last.version = %(version)s AND last.action = 'release'
        AND last.step NOT IN ('promote', 'abort')
)
SELECT experiment.name AS experiment, experiment.control, experiment.margin, look.verdict,
       look.reason, look.control_people, look.challenger_people, look.low, look.value, look.high,
       -- the challenger leaves its slot when its experiment ends, unless that is a release's
       CASE WHEN experiment.started_at < coalesce((SELECT at FROM under_way), 'infinity')
            THEN experiment.ended_at END AS past
FROM experiment
LEFT JOIN LATERAL (
    SELECT * FROM experiment_look
    WHERE experiment_look.experiment_id = experiment.experiment_id AND verdict IS NOT NULL
    -- what it said when it ended: those who are counted after that change it no more
    ORDER BY looked_at > coalesce(experiment.ended_at, 'infinity'), looked_at DESC
    LIMIT 1
) AS look ON true
WHERE experiment.challenger = %(version)s
ORDER BY experiment.experiment_id DESC
LIMIT 1
"""


def rule(connection: psycopg.Connection, version: str) -> Ruling:
    """Rule on a version by the experiment that tries it now, or that its release has begun.

    Raises:
        LookupError: there is no such version.
    """
    known = connection.execute("SELECT FROM model_version WHERE version = %s", (version,))
    if known.fetchone() is None:
        raise LookupError(f"there is no version {version}")
    with connection.cursor(row_factory=class_row(LatestVerdict)) as cursor:
        return decide(cursor.execute(EVIDENCE, {"version": version}).fetchone())


def decide(evidence: LatestVerdict | None) -> Ruling:
    """Silence is never health: what has no evidence, or evidence of nothing, waits.

    It need not be shown that people are better off, only that they are not worse off by more
    than the margin: most models that replace a good one are about as good.
    """
    if evidence is None:
        return Ruling(Decision.WAIT, "no experiment has tried it on people")
    if evidence.past:
        words = f"nobody is asked about it now: {evidence.experiment} ended at"
        return Ruling(Decision.WAIT, f"{words} {evidence.past:{MOMENT}} UTC", evidence)
    return _by_verdict(evidence)


def _by_verdict(evidence: LatestVerdict) -> Ruling:
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

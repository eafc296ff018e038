"""The rows of experiments: what begins one, what runs, and when it has told what it can."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg.rows import class_row

from ci.release.plan import Placement
from monitoring.experiments.assignment import ExperimentKind
from monitoring.experiments.verdict import Word

RUNNING = """
SELECT experiment_id, name, control, challenger, challenger_slot, salt, seed, stratum, share,
       buckets, kind, started_at
FROM experiment
JOIN experiment_stratum USING (experiment_id)
WHERE ended_at IS NULL
ORDER BY experiment_id DESC, stratum DESC
LIMIT 1
"""
BOTH_SLOTS = "both"
BEGIN = """
WITH begun AS (
    INSERT INTO experiment (name, control, challenger, challenger_slot, salt, seed, horizon,
                            margin, largest_sample, kind)
    VALUES (%(name)s, %(control)s, %(challenger)s, %(slot)s, %(salt)s, %(seed)s, %(horizon)s,
            %(margin)s, %(largest_sample)s, %(kind)s)
    RETURNING experiment_id
)
INSERT INTO experiment_stratum (experiment_id, stratum, share, buckets)
SELECT experiment_id, 1, cardinality(%(buckets)s::smallint[]), %(buckets)s FROM begun
"""
STOPPED = """
INSERT INTO experiment_look (experiment_id, looked_at, metric, control_people, challenger_people,
                             control, challenger, value, low, high, verdict, reason)
SELECT experiment_id, now(),
       coalesce(metric,
                CASE kind WHEN 'interleaving' THEN 'preference' ELSE 'people_watching' END),
       coalesce(control_people, 0), coalesce(challenger_people, 0),
       control_figure, challenger_figure, value, low, high, %(verdict)s, %(harm)s
FROM experiment
LEFT JOIN LATERAL (
    SELECT metric, control_people, challenger_people, look.control AS control_figure,
           look.challenger AS challenger_figure, value, low, high
    FROM experiment_look AS look
    WHERE look.experiment_id = experiment.experiment_id AND verdict IS NOT NULL
    ORDER BY looked_at DESC
    LIMIT 1
) AS last ON true
WHERE experiment_id = %(experiment_id)s
"""
"""A look as evaluation records one: the people as they were counted last, and the harm."""
LAST_LOOK = """
SELECT verdict, reason, control_people + challenger_people AS people, largest_sample
FROM experiment_look
JOIN experiment USING (experiment_id)
WHERE experiment_id = %s AND verdict IS NOT NULL
ORDER BY looked_at DESC
LIMIT 1
"""


@dataclass(frozen=True)
class Design:
    """What is laid down before the first person comes."""

    name: str
    salt: str
    seed: int
    horizon: timedelta
    """How long after a person's first answer what they do counts."""
    margin: float
    """A smaller relative difference is none."""
    largest_sample: int
    """People at which it ends, decided or not."""
    kind: ExperimentKind = ExperimentKind.AB


@dataclass(frozen=True)
class Running:
    """An experiment that runs, with its present stratum."""

    experiment_id: int
    name: str
    control: str
    challenger: str
    challenger_slot: str
    salt: str
    seed: int
    stratum: int
    share: int
    buckets: list[int]
    kind: str
    started_at: datetime


def begin(
    connection: psycopg.Connection,
    design: Design,
    live: Placement,
    challenger: Placement,
    buckets: Iterable[int],
) -> None:
    """Have evaluation count, from now on, what people of both arms do."""
    values = vars(design) | {
        "control": live.version,
        "challenger": challenger.version,
        "slot": BOTH_SLOTS if design.kind is ExperimentKind.INTERLEAVING else challenger.slot,
        "buckets": sorted(buckets),
    }
    connection.execute(BEGIN, values)


def running(connection: psycopg.Connection) -> Running | None:
    """The experiment that runs."""
    with connection.cursor(row_factory=class_row(Running)) as cursor:
        return cursor.execute(RUNNING).fetchone()


def change_share(
    connection: psycopg.Connection, experiment: Running, buckets: Iterable[int]
) -> None:
    """Give the challenger other buckets from now on: people are compared within this stratum."""
    drawn = sorted(buckets)
    connection.execute(
        "INSERT INTO experiment_stratum (experiment_id, stratum, share, buckets)"
        " VALUES (%s, %s, %s, %s)",
        (experiment.experiment_id, experiment.stratum + 1, len(drawn), drawn),
    )


def record_harm(connection: psycopg.Connection, harm: str) -> None:
    """Record that the experiment that runs is stopped for the harm that its challenger does."""
    if runs := running(connection):
        values = {"experiment_id": runs.experiment_id, "verdict": Word.STOP, "harm": harm}
        connection.execute(STOPPED, values)


def why_to_end(connection: psycopg.Connection, experiment_id: int) -> str | None:
    """Why there is nothing more to learn from it; None while there is."""
    look = connection.execute(LAST_LOOK, (experiment_id,)).fetchone()
    if look is None:
        return None
    verdict, reason, people, largest_sample = look
    if Word(verdict).decides:
        return f"{verdict}: {reason}"
    if people >= largest_sample:
        return f"{verdict} at its largest sample of {largest_sample:,} people: {reason}"
    return None

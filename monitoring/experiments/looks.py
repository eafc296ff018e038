"""A look at an experiment: what its people came to so far, what that says, and its record."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row, dict_row

from monitoring.experiments.assignment import ExperimentKind
from monitoring.experiments.confidence import Interval, interval
from monitoring.experiments.estimates import (
    Estimate,
    Sums,
    means,
    over_strata,
    relative_lift,
)
from monitoring.experiments.guardrails import harms
from monitoring.experiments.interleaving import preference
from monitoring.experiments.people import SQL
from monitoring.experiments.sample_ratio import Allocation, mismatch
from monitoring.experiments.verdict import TOO_FEW_PEOPLE, Plan, Verdict, Word, judge

ARMS = ("control", "challenger")
METRICS = ("people_watching", "minutes")
"""The first, the share of people who watched something recommended, decides an A/B test."""
PREFERENCE = "preference"
"""Whose movies people took, where lists are interleaved: decides that."""
TOO_FEW_TAKERS = "too few people watched a movie that only one of both would have shown"
NOBODY = Sums(0, 0.0, 0.0)

type ByArm = Mapping[str, Mapping[int, Mapping[str, Sums]]]
"""Sums by metric, stratum and arm."""


@dataclass(frozen=True)
class Compared:
    """One metric at one look; without an interval there were too few people."""

    metric: str
    control_people: int
    challenger_people: int
    control: float | None
    challenger: float | None
    lift: Estimate | None
    interval: Interval | None


@dataclass(frozen=True)
class Recorded:
    """The look that was recorded last, of the metric that decides."""

    control_people: int
    challenger_people: int
    verdict: str
    reason: str
    value: float | None
    low: float | None
    high: float | None

    def stands_against(self, verdict: Verdict) -> bool:
        """Whether it decided, and what is found now may not take its place."""
        is_harm = verdict.word is Word.STOP and self.verdict != Word.STOP
        return Word(self.verdict).decides and not is_harm

    def differs(self, compared: Compared, verdict: Verdict) -> bool:
        """Whether anything is otherwise now than it was then."""
        value = compared.interval.value if compared.interval else None
        then = (self.control_people, self.challenger_people, self.value, self.verdict)
        now = (compared.control_people, compared.challenger_people, value, verdict.word)
        return then != now

    def as_verdict(self) -> Verdict:
        """What it said."""
        if self.value is None or self.low is None or self.high is None:
            return Verdict(Word(self.verdict), self.reason)
        found = Interval(self.value, self.low, self.high)
        return Verdict(Word(self.verdict), self.reason, found)


def look(connection: psycopg.Connection, experiment_id: int, now: datetime) -> Verdict:
    """Judge an experiment by those who are counted; record it if they changed since last time.

    What has decided stays what it was: of what comes later only harm is recorded.
    """
    plan = _plan(connection, experiment_id)
    with connection.transaction():
        compared, verdict = _judge(connection, experiment_id, plan)
        last = _last(connection, experiment_id)
        if last and last.stands_against(verdict):
            return last.as_verdict()
        if last is None or last.differs(compared[0], verdict):
            for place, one in enumerate(compared):
                _record(connection, experiment_id, now, one, None if place else verdict)
    return verdict


def _judge(
    connection: psycopg.Connection, experiment_id: int, plan: Plan
) -> tuple[list[Compared], Verdict]:
    """What is compared, that which decides first, and the verdict on it."""
    sums = _sums(connection, experiment_id)
    is_interleaved = _kind(connection, experiment_id) == ExperimentKind.INTERLEAVING
    if is_interleaved:
        compared = [_preferred(sums, plan)]
    else:
        compared = [_compare(metric, sums[metric], plan) for metric in METRICS]
    verdict = judge(
        compared[0].lift,
        plan,
        mismatch=mismatch(_allocations(connection, experiment_id)),
        harm="; ".join(harms(_by_figure(sums), plan.people)) or None,
        no_data=TOO_FEW_TAKERS if is_interleaved else TOO_FEW_PEOPLE,
    )
    return compared, verdict


def _plan(connection: psycopg.Connection, experiment_id: int) -> Plan:
    with connection.cursor(row_factory=class_row(Plan)) as cursor:
        found = cursor.execute(
            "SELECT largest_sample AS people, margin FROM experiment WHERE experiment_id = %s",
            (experiment_id,),
        ).fetchone()
    if found is None:
        raise LookupError(f"there is no experiment {experiment_id}")
    return found


def _kind(connection: psycopg.Connection, experiment_id: int) -> str:
    row = connection.execute(
        "SELECT kind FROM experiment WHERE experiment_id = %s", (experiment_id,)
    ).fetchone()
    return str(row[0]) if row else ExperimentKind.AB


def _sums(connection: psycopg.Connection, experiment_id: int) -> ByArm:
    found: defaultdict[str, defaultdict[int, dict[str, Sums]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        query = SQL.joinpath("sums.sql").read_bytes()
        for row in cursor.execute(query, {"experiment_id": experiment_id}):
            metric, stratum, arm = row.pop("metric"), row.pop("stratum"), row.pop("arm")
            found[metric][stratum][arm] = Sums(**row)
    return found


def _allocations(connection: psycopg.Connection, experiment_id: int) -> list[Allocation]:
    with connection.cursor(row_factory=class_row(Allocation)) as cursor:
        query = SQL.joinpath("allocations.sql").read_bytes()
        return cursor.execute(query, {"experiment_id": experiment_id}).fetchall()


def _compare(metric: str, strata: Mapping[int, Mapping[str, Sums]], plan: Plan) -> Compared:
    control_people, challenger_people = (
        sum(of.get(arm, NOBODY).people for of in strata.values()) for arm in ARMS
    )
    both = over_strata(list(_pairs(strata)))
    lift = relative_lift(*both) if both else None
    return Compared(
        metric,
        control_people,
        challenger_people,
        both[0].value if both else None,
        both[1].value if both else None,
        lift,
        interval(lift, plan.people, plan.alpha) if lift else None,
    )


def _preferred(sums: ByArm, plan: Plan) -> Compared:
    """Whose movies the people with interleaved lists took; each is their own control."""
    taken = _interleaved(sums, PREFERENCE)
    found = preference(taken, _interleaved(sums, "people_taking").y)
    each = max(taken.people, 1)
    return Compared(
        PREFERENCE,
        0,
        taken.people,
        (taken.x - taken.y) / 2 / each,
        (taken.x + taken.y) / 2 / each,
        found,
        interval(found, plan.people, plan.alpha) if found else None,
    )


def _pairs(strata: Mapping[int, Mapping[str, Sums]]) -> Iterator[tuple[Estimate, Estimate]]:
    for arms in _arms(strata):
        if both := means(*arms):
            yield both


def _arms(strata: Mapping[int, Mapping[str, Sums]]) -> Iterator[tuple[Sums, Sums]]:
    for of in strata.values():
        yield of.get("control", NOBODY), of.get("challenger", NOBODY)


def _by_figure(sums: ByArm) -> dict[str, list[tuple[Sums, Sums]]]:
    return {metric: list(_arms(strata)) for metric, strata in sums.items()}


def _interleaved(sums: ByArm, metric: str) -> Sums:
    """All who got lists of both versions: nobody is compared with others, so strata add up."""
    return sum((challenger for _, challenger in _arms(sums[metric])), NOBODY)


def _last(connection: psycopg.Connection, experiment_id: int) -> Recorded | None:
    with connection.cursor(row_factory=class_row(Recorded)) as cursor:
        return cursor.execute(
            "SELECT control_people, challenger_people, verdict, reason, value, low, high"
            " FROM experiment_look WHERE experiment_id = %s AND verdict IS NOT NULL"
            " ORDER BY looked_at DESC LIMIT 1",
            (experiment_id,),
        ).fetchone()


def _record(
    connection: psycopg.Connection,
    experiment_id: int,
    now: datetime,
    one: Compared,
    verdict: Verdict | None,
) -> None:
    """Record one metric; the verdict is that of the one that decides."""
    found = one.interval
    connection.execute(
        "INSERT INTO experiment_look (experiment_id, looked_at, metric, control_people,"
        " challenger_people, control, challenger, value, low, high, verdict, reason)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            experiment_id,
            now,
            one.metric,
            one.control_people,
            one.challenger_people,
            one.control,
            one.challenger,
            found.value if found else None,
            found.low if found else None,
            found.high if found else None,
            verdict.word if verdict else None,
            verdict.reason if verdict else None,
        ),
    )

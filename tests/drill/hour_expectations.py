"""What is to be true after an hour in which a stack was left alone: each with what shows it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LEAST_RELEASES = 3
MOST_FAILED = 0.001
"""Of people's requests: what is promised to callers."""
EXPECTED_ALERTS = frozenset({"ReleaseAborted", "SlotDown", "ScheduledReleaseFailing"})
"""Two releases are taken back, and a slot is killed."""
OF_THE_HOST = frozenset(
    {"DiskFillingUp", "DiskFullTomorrow", "FilesRunningOut", "MemoryShort", "KilledForMemory"}
)
"""Told, not judged: others work on this host, too."""
SCHEDULED = "job_id IN (SELECT id FROM procrastinate_jobs WHERE task_name = 'scheduled_release')"

Query = Callable[[str], list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Played:
    """What was done to the stack, and when it was left alone."""

    begun: datetime
    misnamed: str
    """The version of which replayed requests tell that it is bad."""
    misranked: str
    """The version of which only people can tell."""
    killed: str
    """The slot."""
    experiment: str
    """Its name."""


@dataclass(frozen=True)
class Expectation:
    """Something that is to be so, and what was seen."""

    expected: str
    seen: str
    met: bool


def expectations(sql: Query, played: Played) -> Iterator[Expectation]:
    """What the tables are to say."""
    yield trainings(sql, played)
    yield releases(sql, played)
    yield refused(sql, played)
    yield rolled_back(sql, played)
    yield never_live(sql, played)
    yield tried(sql, played)
    yield answered(sql, played)
    yield from told(sql, played)


def trainings(sql: Query, played: Played) -> Expectation:
    """It trained, by itself."""
    ((trained, accepted),) = sql(
        "SELECT count(*), count(*) FILTER (WHERE verdict = 'accepted') FROM model_version"
        f" WHERE created_at > '{played.begun}'"
        f" AND version NOT IN ('{played.misnamed}', '{played.misranked}')"
    )
    seen = f"{trained} trained, {accepted} accepted"
    return Expectation("it trains several times by itself", seen, accepted >= LEAST_RELEASES)


def releases(sql: Query, played: Played) -> Expectation:
    """It released, by its schedule."""
    live = sql(
        f"SELECT version FROM deployment WHERE step = 'promote' AND at > '{played.begun}'"
        f" AND action = 'release' AND {SCHEDULED} ORDER BY step_id"
    )
    names = ", ".join(version for (version,) in live)
    return Expectation(
        "it releases several times by itself",
        f"live, one after the other: {names}",
        len(live) >= LEAST_RELEASES,
    )


def refused(sql: Query, played: Played) -> Expectation:
    """A version whose movies have other names is refused before anybody gets it."""
    abort = given_up(sql, played.misnamed)
    ((answers,),) = sql(f"SELECT count(*) FROM receipt WHERE model_version = '{played.misnamed}'")
    seen = f"{abort[1] if abort else 'not given up'}; {answers} answers"
    met = abort is not None and abort[1].startswith("replayed: ") and answers == 0
    return Expectation(
        "a bad version that passed offline is refused before anybody gets it", seen, met
    )


def rolled_back(sql: Query, played: Played) -> Expectation:
    """A canary that hurts is taken back, and answers nobody afterwards."""
    abort = given_up(sql, played.misranked)
    if abort is None:
        return Expectation("a canary that hurts is taken back", "not given up", met=False)
    at, reason = abort
    ((during, after),) = sql(
        f"SELECT count(*) FILTER (WHERE time <= '{at}'), count(*) FILTER (WHERE time > '{at}')"
        f" FROM receipt WHERE model_version = '{played.misranked}'"
    )
    met = reason.startswith("the gate says stop: ") and during > 0 and after == 0
    seen = f"{reason}; {during} answers until then, {after} after"
    return Expectation("a canary that hurts is taken back", seen, met)


def given_up(sql: Query, version: str) -> tuple[datetime, str] | None:
    """When and why a release of a version was given up, by the schedule that began it."""
    found = sql(
        f"SELECT at, reason FROM deployment WHERE step = 'abort' AND version = '{version}'"
        f" AND {SCHEDULED}"
    )
    return found[0] if found else None


def never_live(sql: Query, played: Played) -> Expectation:
    """No bad version was live at any time, and each left its evidence."""
    both = f"('{played.misnamed}', '{played.misranked}')"
    ((live,),) = sql(f"SELECT count(*) FROM deployment WHERE live_version IN {both}")
    ((kept,),) = sql(f"SELECT count(*) FROM rejected_candidate WHERE version IN {both}")
    return Expectation(
        "neither was live at any time; both left evidence",
        f"live in {live} steps, evidence of {kept}",
        live == 0 and kept == 2,
    )


def tried(sql: Query, played: Played) -> Expectation:
    """An experiment counted people and says something."""
    found = sql(
        "SELECT verdict, people, reason FROM experiment_verdict"
        f" WHERE name = '{played.experiment}' AND verdict IS NOT NULL"
    )
    if not found:
        return Expectation("an experiment compares two versions", "no verdict", met=False)
    verdict, people, reason = found[0]
    return Expectation(
        "an experiment compares two versions",
        f"{verdict} after {people} people: {reason}",
        met=bool(people),
    )


def answered(sql: Query, played: Played) -> Expectation:
    """Nobody noticed any of it."""
    ((asked, failed, slowest),) = sql(
        "SELECT count(*), count(*) FILTER (WHERE status <> 200), max(response_ms)"
        f" FROM recommendation_request WHERE time > '{played.begun}'"
    )
    return Expectation(
        "people's requests are answered, by their own log",
        f"{asked} requests, {failed} failed, the slowest took {slowest} ms",
        asked > 0 and failed <= MOST_FAILED * asked,
    )


def told(sql: Query, played: Played) -> Iterator[Expectation]:
    """The story names each of these, and each of its sentences names a row."""
    story = sql(f"SELECT sentence, evidence FROM story WHERE at > '{played.begun}'")
    wanted = {
        "the bad version was given up": f"The release of {played.misnamed} was given up",
        "the canary was given up": f"The release of {played.misranked} was given up",
        "what was tried in the experiment": f": {played.experiment}.",
        "a version went live": " went live by a release: ",
        "a version was trained": " was trained on ",
    }
    for what, words in wanted.items():
        found = [evidence for sentence, evidence in story if words in sentence]
        yield Expectation(
            f"the story tells that {what}", "; ".join(found) or "nothing", bool(found)
        )


def unexpected(alerts: set[tuple[str, str]]) -> Expectation:
    """Of alerts that fired, by name and severity: only those of what was done to it."""
    fired = {name for name, severity in alerts if severity not in {"none", "setup"}}
    return Expectation(
        "no alert fires but of what was done to it",
        ", ".join(sorted(fired)) or "none",
        "ReleaseAborted" in fired and fired <= EXPECTED_ALERTS | OF_THE_HOST,
    )

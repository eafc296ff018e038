"""What an experiment says so far: a word, and in a sentence why."""

import math
from dataclasses import dataclass
from enum import StrEnum

from monitoring.experiments.confidence import ALPHA, Interval, interval, standard_errors
from monitoring.experiments.estimates import Estimate

GROWTH = 1.02
"""A sample is tried in steps of this factor: finer than two digits tell."""
TOO_FEW_PEOPLE = "too few people have ended their time in it"


class Word(StrEnum):
    """What there is to say; only the first three are about quality, and decide."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no_difference"
    UNDECIDED = "undecided"
    WAIT = "wait"
    STOP = "stop"

    @property
    def decides(self) -> bool:
        """Whether nothing that comes later changes it."""
        return self not in (Word.UNDECIDED, Word.WAIT)


@dataclass(frozen=True)
class Plan:
    """What was laid down before the first person: how many people at most, and what counts.

    `margin` is the difference that nobody would act on, in the unit of the estimate.
    """

    people: int
    margin: float
    alpha: float = ALPHA


@dataclass(frozen=True)
class Verdict:
    """A word and its reason; `interval` is None when there was nothing to judge by."""

    word: Word
    reason: str
    interval: Interval | None = None


def judge(
    estimate: Estimate | None,
    plan: Plan,
    *,
    mismatch: str | None = None,
    harm: str | None = None,
    no_data: str = TOO_FEW_PEOPLE,
) -> Verdict:
    """The verdict on how much better the challenger is than control.

    Harm stops whatever people like; after a sample ratio mismatch no difference means anything;
    without an estimate there is nothing to say.
    """
    found = interval(estimate, plan.people, plan.alpha) if estimate else None
    if harm:
        return Verdict(Word.STOP, harm, found)
    if mismatch:
        return Verdict(Word.WAIT, mismatch, found)
    if estimate is None or found is None:
        return Verdict(Word.WAIT, f"no data yet: {no_data}")
    return Verdict(*_by_interval(estimate, found, plan), found)


def _by_interval(estimate: Estimate, found: Interval, plan: Plan) -> tuple[Word, str]:
    between = f"between {found.low:+.1%} and {found.high:+.1%}, {estimate.people:,} people"
    if found.low > 0:
        return Word.BETTER, f"people are better off with the challenger: {between}"
    if found.high < 0:
        return Word.WORSE, f"people are worse off with the challenger: {between}"
    if -plan.margin < found.low and found.high < plan.margin:
        return Word.NO_DIFFERENCE, f"no difference beyond {plan.margin:.1%}: {between}"
    return Word.UNDECIDED, f"{between}; {_what_would_decide(estimate, plan)}"


def _what_would_decide(estimate: Estimate, plan: Plan) -> str:
    needed = people_to_decide(estimate, plan)
    if estimate.people >= plan.people:
        return f"the planned {plan.people:,} people are reached; some {needed:,} would decide"
    if needed > plan.people:
        return f"some {needed:,} people would decide, more than the planned {plan.people:,}"
    return f"some {needed:,} people would decide if it stays as it is"


def people_to_decide(estimate: Estimate, plan: Plan) -> int:
    """How many people would decide if value and spread stay what they are: two digits of it."""
    reach = max(abs(estimate.value), plan.margin - abs(estimate.value))
    spread = math.sqrt(estimate.variance * estimate.people)
    people = float(estimate.people)
    while standard_errors(people, plan.people, plan.alpha) * spread / math.sqrt(people) >= reach:
        people *= GROWTH
    return _two_digits(people)


def _two_digits(people: float) -> int:
    unit = int(10 ** max(0, math.floor(math.log10(people)) - 1))
    return math.ceil(people / unit) * unit

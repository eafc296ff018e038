"""Two versions in one list: which of them a person takes more movies from.

Each person sees both, so what sets people apart from each other cancels, and far fewer people
are needed than when half of them get one version and half the other.

Sources: Radlinski, Kurup and Joachims, How Does Clickthrough Data Reflect Retrieval Quality?,
CIKM 2008 (team draft); Chapelle, Joachims, Radlinski and Yue, Large-Scale Validation and
Analysis of Interleaved Search Evaluation, TOIS 30 (2012).
"""

from collections.abc import Iterable
from enum import StrEnum

from monitoring.experiments.estimates import Sums


class Team(StrEnum):
    """Whose movie it is."""

    CONTROL = "control"
    CHALLENGER = "challenger"


def preference(credited: Iterable[Team]) -> float:
    """What one person's watched recommendations say: from -1 (all control's) to 1.

    0 of nothing watched: a person who took nothing prefers neither, and counts all the same.
    """
    teams = list(credited)
    if not teams:
        return 0.0
    return (2 * teams.count(Team.CHALLENGER) - len(teams)) / len(teams)


def preferences(people: Iterable[float]) -> Sums:
    """The sums over people's preferences; their mean is the estimate, 0 without a difference."""
    values = list(people)
    return Sums(len(values), sum(values), sum(value * value for value in values))

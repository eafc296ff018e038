"""Two versions in one list: of which people take more movies.

Each person sees both, so what sets people apart from each other cancels, and far fewer people
are needed than when half of them get one version and half the other. Only movies count that
one version would have shown and the other not; which of both picked a movie first tells nothing.

Sources: Radlinski, Kurup and Joachims, How Does Clickthrough Data Reflect Retrieval Quality?,
CIKM 2008 (team draft, which makes the lists: recommender/answers/team_draft.py); Chapelle,
Joachims, Radlinski and Yue, Large-Scale Validation and Analysis of Interleaved Search
Evaluation, TOIS 30 (2012).
"""

from collections.abc import Iterable

from monitoring.experiments.estimates import FEWEST_PEOPLE, Estimate, Sums, ratio


def credits_of(people: Iterable[tuple[int, int]]) -> Sums:
    """The sums over people of the movies they took that are control's, and the challenger's.

    The ratio of these sums (`estimates.ratio`) is the preference: from -1, all movies taken were
    control's, to 1, all were the challenger's. People who took none count, as people.
    """
    rows = [(challenger - control, challenger + control) for control, challenger in people]
    return Sums(
        len(rows),
        y=sum(y for y, _ in rows),
        yy=sum(y * y for y, _ in rows),
        x=sum(x for _, x in rows),
        xx=sum(x * x for _, x in rows),
        xy=sum(x * y for y, x in rows),
    )


def preference(taken: Sums, people_taking: float) -> Estimate | None:
    """How much more of the movies taken were the challenger's; of all people, see `credits_of`.

    None while too few people took any: of a handful that all took the same version's, the spread
    would be none at all.
    """
    return ratio(taken) if people_taking >= FEWEST_PEOPLE else None

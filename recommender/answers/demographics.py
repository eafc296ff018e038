"""What people like a user know: for somebody who did nothing yet, but of whom something is known.

People are alike by gender and decade of age, and by occupation. How usual a movie is among
each is held towards how usual it is among all, the more the fewer they are; a list is by the
product of both.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import psycopg
from numpy.typing import NDArray

from trainer.versions.contents import ModelVersion
from trainer.versions.sources import usual_shares

PEOPLE = """
SELECT gender, age / 10, occupation, array_agg(user_id ORDER BY user_id)
FROM app_user
WHERE gender IS NOT NULL OR age IS NOT NULL OR occupation IS NOT NULL
GROUP BY 1, 2, 3
"""
LIST_LENGTH = 200
USERS_AT_ONCE = 20_000


class DemographicGroup(NamedTuple):
    """Which people are alike; None where something is not known."""

    gender: str | None
    decade: int | None
    occupation: str | None


People = Mapping[DemographicGroup, NDArray[np.int64]]
"""The ids of the users of each kind, int64 [n], ascending."""


def read_people(connection: psycopg.Connection) -> People:
    """All users of whom anything is known."""
    rows = connection.execute(PEOPLE, binary=True)
    return {DemographicGroup(*kind): np.array(users, np.int64) for *kind, users in rows}


def lists_by_group(people: People, model: ModelVersion) -> dict[DemographicGroup, Sequence[str]]:
    """For each kind, the movies that such people know more than others do, best first."""
    ages = sorted({kind[:2] for kind in people}, key=str)
    occupations = sorted({kind.occupation for kind in people}, key=str)
    by_age = usual_share(people, model, {kind: ages.index(kind[:2]) for kind in people})
    by_work = usual_share(people, model, {k: occupations.index(k.occupation) for k in people})
    return {
        kind: _best(
            by_age[ages.index(kind[:2])] * by_work[occupations.index(kind.occupation)], model
        )
        for kind in people
    }


def usual_share(
    people: People, model: ModelVersion, group_of: Mapping[DemographicGroup, int]
) -> NDArray[np.float64]:
    """float64 [groups, items]: the share of each group that knows each item.

    Args:
        people: who is of which kind.
        model: knows which items its users know.
        group_of: the group of each kind, counted from 0.
    """
    groups = max(group_of.values(), default=-1) + 1
    group_of_row = np.full(len(model.contents.users), groups, np.int64)
    for kind, users in people.items():
        group_of_row[_rows(model, users)] = group_of[kind]
    sizes = np.bincount(group_of_row, minlength=groups + 1)
    known = _known(model, group_of_row, groups + 1)
    return usual_shares(np.column_stack([sizes, known]))


def _rows(model: ModelVersion, users: NDArray[np.int64]) -> NDArray[np.intp]:
    """The rows of those of these users whom the model knows."""
    known = model.contents.users
    rows = np.searchsorted(known, users)
    rows = rows[rows < len(known)]
    return rows[np.isin(known[rows], users)]


def _known(
    model: ModelVersion, group_of_row: NDArray[np.int64], groups: int
) -> NDArray[np.float64]:
    """float64 [groups, items]: how many of each group know each item."""
    seen, items = model.contents.seen, len(model.movies)
    counts = np.zeros(groups * items)
    for start in range(0, len(group_of_row), USERS_AT_ONCE):
        rows = slice(start, start + USERS_AT_ONCE)
        ends = seen.indptr[start : start + USERS_AT_ONCE + 1]
        group = np.repeat(group_of_row[rows], np.diff(ends))
        places = group * items + seen.indices[ends[0] : ends[-1]]
        counts += np.bincount(places, minlength=groups * items)
    return counts.reshape(groups, items)


def _best(shares: NDArray[np.float64], model: ModelVersion) -> Sequence[str]:
    length = min(LIST_LENGTH, len(shares))
    best = np.argpartition(-shares, length - 1)[:length]
    return [model.movies[item] for item in best[np.argsort(-shares[best], kind="stable")]]

"""Lists that ask for nothing of what somebody did, beside the rule that each follows."""

import numpy as np
import pytest

from trainer.data.interactions import Interactions
from trainer.data.people import DemographicGroups
from trainer.selection import impersonal
from trainer.selection.impersonal import HALF_LIFE_US, OfTheirKind, Trending
from trainer.versions.sources import ENOUGH_PEOPLE

DAY = int(HALF_LIFE_US)


def met(rows):
    """Interactions from (user, movie, time in days)."""
    users, codes, days = np.array(rows).T
    return Interactions.assemble(
        users.astype(np.int64),
        [f"movie+{code}" for code in range(5)],
        codes.astype(np.int32),
        np.full(len(rows), 4, np.float32),
        (days * DAY).astype(np.int64),
    )


def best_of(model, row):
    return int(np.argmax(model.score(np.array([row], np.int32))[0]))


@pytest.mark.parametrize("cuts", [1, 3, 200])
def test_what_many_met_just_now_is_popular_lately(monkeypatch, cuts):
    monkeypatch.setattr(impersonal, "CUTS", cuts)
    rows = [(user, 1, 0) for user in range(5)] + [(user + 10, 2, 9.9) for user in range(4)]
    asked = np.array([0, 0.5, 10, 100]) * DAY
    model = Trending.fit(met(rows), np.array([3, 1, 2, 0, 4], np.int32)).asked_at(asked.astype(int))
    assert [best_of(model, row) for row in range(4)] == [3, 1, 2, 3]


def test_counts_fall_by_half_each_day_whatever_is_kept_of_them(monkeypatch):
    random = np.random.default_rng(2)
    rows = [(user, random.integers(5), random.uniform(0, 9)) for user in range(300)]
    interactions, asked = met(rows), (np.linspace(0, 11, 30) * DAY).astype(np.int64)
    ages = asked[:, None] - interactions.times
    weights = np.where(ages > 0, 2.0 ** (-np.maximum(ages, 0) / DAY), 0)
    expected = np.stack([np.bincount(interactions.items, row, 5) for row in weights])
    for cuts in (1, 7, 1000):
        monkeypatch.setattr(impersonal, "CUTS", cuts)
        model = Trending.fit(interactions, np.arange(5, dtype=np.int32)).asked_at(asked)
        scores = model.score(np.arange(30, dtype=np.int32))
        enough = expected >= ENOUGH_PEOPLE
        assert np.allclose(scores[enough], 1 + expected[enough], rtol=1e-5)
        assert (scores[~enough] <= 1).all()


def test_people_are_offered_what_their_kind_knows():
    rows = [(user, 1 if user < 100 else 2, 0) for user in range(200)]
    ages = np.array([0] * 100 + [1] * 100 + [0, 1, -1], np.int32)
    others = met([*rows, *((user, 0, 0) for user in (200, 201, 202))])
    others = others.only(others.users[others.rows()] < 200)
    known = DemographicGroups(ages, np.minimum(ages, 0))
    fitted = OfTheirKind.fit(
        Interactions(**{**vars(others), "kinds": known}), np.arange(5, dtype=np.int32)
    )
    assert [best_of(fitted, row) for row in (200, 201)] == [1, 2]
    assert not fitted.score(np.array([202], np.int32)).any()

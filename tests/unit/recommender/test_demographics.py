"""What people of a kind know, and who is of which kind."""

import numpy as np
import pytest

from recommender.answers.demographics import DemographicGroup, lists_by_group
from recommender.answers.fallbacks import Directory
from tests.unit.recommender.versions import MOVIES, publish

YOUNG, OLD = DemographicGroup("F", 2, None), DemographicGroup("F", 6, None)
PEOPLE = {YOUNG: np.arange(1, 101), OLD: np.arange(101, 201)}


@pytest.fixture
def model(tmp_path):
    """The young know movies 10 and 11, the old 20 and 21; all know movie 0."""
    seen = {user: [0, 10, 11] if user <= 100 else [0, 20, 21] for user in range(1, 201)}
    return publish(tmp_path, top={user: [30] for user in seen}, seen=seen)


def test_people_are_offered_what_others_of_their_kind_know(model):
    lists = lists_by_group(PEOPLE, model)

    assert set(lists[YOUNG][:3]) == {MOVIES[0], MOVIES[10], MOVIES[11]}
    assert set(lists[OLD][:3]) == {MOVIES[0], MOVIES[20], MOVIES[21]}


def test_a_kind_of_which_the_model_knows_nobody_is_offered_what_all_know(model):
    lists = lists_by_group({**PEOPLE, DemographicGroup("M", 4, "writer"): np.array([5000])}, model)

    assert lists[DemographicGroup("M", 4, "writer")][0] == MOVIES[0]


def test_an_occupation_tells_apart_people_of_one_age(model):
    clerks, nurses = DemographicGroup("F", 2, "clerk"), DemographicGroup("F", 2, "nurse")
    lists = lists_by_group({clerks: np.arange(1, 101), nurses: np.arange(101, 201)}, model)

    assert lists[clerks].index(MOVIES[10]) < lists[clerks].index(MOVIES[20])
    assert lists[nurses].index(MOVIES[20]) < lists[nurses].index(MOVIES[10])


def test_everybody_gets_the_fallback_of_their_kind_and_others_what_is_popular_lately():
    directory = Directory(PEOPLE, {YOUNG: ["young+1999"], OLD: ["old+1999"]}, ["lately+1999"])

    assert directory.of(100).people == ["young+1999"]
    assert directory.of(101).people == ["old+1999"]
    assert directory.of(999) == ((), ["lately+1999"])


def test_a_fallback_is_the_same_object_until_something_changes():
    directory = Directory(PEOPLE, {YOUNG: [], OLD: []}, ())
    other = directory.with_trending(["lately+1999"])

    assert directory.of(5) is directory.of(6)
    assert other.of(5).trending == ["lately+1999"]

"""Which model versions are fit to answer."""

import pytest

from recommender.answers.self_test import self_test
from recommender.errors import UnfitModelError
from tests.unit.recommender.versions import MOVIES, publish


def test_a_sound_version_passes(tmp_path):
    self_test(publish(tmp_path, top={1: [3, 4, 5]}, seen={1: [0]}))


def test_a_catalogue_smaller_than_an_answer_passes(tmp_path):
    self_test(publish(tmp_path, movies=MOVIES[:3], top={1: [2]}, seen={1: [0]}))


def test_a_list_that_repeats_a_movie_is_refused(tmp_path):
    with pytest.raises(UnfitModelError, match="twice for user 1"):
        self_test(publish(tmp_path, top={1: [3, 4, 3]}))


def test_a_list_with_a_movie_already_seen_is_refused(tmp_path):
    with pytest.raises(UnfitModelError, match=r"user 1 has seen movie\+4"):
        self_test(publish(tmp_path, top={1: [3, 4]}, seen={1: [4]}))


def test_a_list_that_points_past_the_catalogue_is_refused(tmp_path):
    with pytest.raises(UnfitModelError, match="no answer for user 1"):
        self_test(publish(tmp_path, top={1: [len(MOVIES)]}))

import math
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from monitoring.drift.comparison import (
    FEWEST_PAIRS,
    FEWEST_RATINGS,
    RecentLines,
    rating_index,
    shares,
)
from monitoring.drift.exporter import DriftExporter

TRAINED = {
    "ratings": 300,
    "viewings_unrated": 100,
    "rating_shares": {"3": 0.5, "4.5": 0.5},
    "top_share": 0.2,
}
RECENT = RecentLines(
    model_version="v1",
    trained=TRAINED,
    ratings={"3": 500, "4.5": 500},
    pairs=2000,
    rated_pairs=1000,
    pairs_with_new_movies=100,
    pairs_with_top_movies=600,
    people=50,
    new_people=10,
)


def test_ratings_that_are_spread_as_before_have_no_drift():
    assert rating_index(RECENT) == 0


def test_ratings_that_move_have_the_population_stability_index():
    moved = replace(RECENT, ratings={"3": 250, "4.5": 750})
    assert rating_index(moved) == pytest.approx(0.25 * math.log(2) + 0.25 * math.log(1.5))


def test_a_rating_that_was_never_given_before_counts_and_not_endlessly():
    new = replace(RECENT, ratings={"1": 1000})
    assert 5 < (rating_index(new) or 0) < 30


@pytest.mark.parametrize(
    "unknown",
    [{"ratings": {"3": FEWEST_RATINGS - 1}}, {"trained": {}}],
    ids=["too few ratings", "a version from before there were reports"],
)
def test_no_index_is_told_where_it_would_say_nothing(unknown):
    assert rating_index(replace(RECENT, **unknown)) is None


def test_each_share_stands_beside_what_it_was_at_the_training():
    assert {share.what: (share.now, share.trained) for share in shares(RECENT)} == {
        "new_people": (0.2, None),
        "new_movies": (0.05, None),
        "rated": (0.5, 0.75),
        "only_watched": (0.5, 0.25),
        "top_movies": (0.3, 0.2),
    }


def test_no_share_is_told_of_too_few():
    assert list(shares(replace(RECENT, pairs=FEWEST_PAIRS - 1))) == []


def test_an_old_report_leaves_the_shares_of_now():
    told = {share.what: share.trained for share in shares(replace(RECENT, trained={}))}
    assert set(told.values()) == {None}


def test_what_can_no_longer_be_told_is_absent_and_not_zero():
    registry = CollectorRegistry()
    exporter = DriftExporter(registry)
    exporter.show(RECENT)
    at_training = {"what": "rated", "at": "training"}
    assert registry.get_sample_value("marquee_drift_rating_index", {"model_version": "v1"}) == 0
    assert registry.get_sample_value("marquee_drift_share", at_training) == 0.75
    exporter.show(None)
    assert registry.get_sample_value("marquee_drift_rating_index", {"model_version": "v1"}) is None
    assert registry.get_sample_value("marquee_drift_share", at_training) is None

from dataclasses import replace

import numpy as np
import pytest

from trainer.data.interactions import Scale
from trainer.data.report import LastVersion, data_report

SCALE = Scale(1, 5)


def last(interactions, times=1):
    report = data_report(interactions, None, SCALE)
    before = {"interactions": times * len(interactions), "report": report}
    return LastVersion(before, interactions.users, interactions.movies)


def test_counts_and_shares_are_told(interactions):
    report = data_report(interactions, None, SCALE)
    assert report["ratings"] == len(interactions)
    assert report["viewings_unrated"] == 0
    assert report["density"] == len(interactions) / (120 * 60)
    assert sum(report["rating_shares"].values()) == pytest.approx(1)
    assert report["alarms"] == []


def test_how_much_the_most_popular_hundredth_of_movies_has_is_told(interactions):
    counts = sorted(interactions.counts())
    report = data_report(interactions, None, SCALE)
    assert report["top_share"] == counts[-1] / sum(counts)  # of 60 movies, one


def test_the_same_data_again_is_nothing_new(interactions):
    report = data_report(interactions, last(interactions), SCALE)
    assert (report["users_unseen"], report["movies_unseen"], report["drift"]) == (0, 0, 0)


def test_new_users_and_movies_are_counted(interactions):
    before = LastVersion(
        last(interactions).report, interactions.users[:90], interactions.movies[:45]
    )
    report = data_report(interactions, before, SCALE)
    assert (report["users_unseen"], report["movies_unseen"]) == (0.25, 0.25)


def test_ratings_of_another_kind_are_an_alarm(interactions):
    all_good = replace(interactions, ratings=np.full_like(interactions.ratings, 5))
    report = data_report(all_good, last(interactions), SCALE)
    assert report["drift"] > 0.25
    assert "spread otherwise" in report["alarms"][0]


def test_half_of_the_data_gone_is_an_alarm(interactions):
    report = data_report(interactions, last(interactions, times=3), SCALE)
    assert "in the last version" in report["alarms"][0]


def test_a_version_from_before_there_were_reports_is_no_alarm(interactions):
    before = LastVersion({"interactions": 10}, interactions.users, interactions.movies)
    assert data_report(interactions, before, SCALE)["drift"] == 0


def test_data_without_ratings_is_described_too(interactions):
    watched = replace(interactions, ratings=np.full_like(interactions.ratings, np.nan))
    assert data_report(watched, last(interactions), SCALE)["rating_shares"] == {}


def test_a_scale_of_which_half_was_never_seen_is_said(interactions):
    notes = data_report(interactions, None, Scale(1, 10))["notes"]
    assert notes[0] == "no rating above 5 was seen on a scale to 10"


def test_ratings_beyond_the_scale_are_said(interactions):
    notes = data_report(interactions, None, Scale(3, 4))["notes"]
    assert notes[0] == "ratings from 2 to 5 were seen on a scale from 3 to 4"


def test_a_stream_with_too_few_people_to_judge_by_is_said(interactions):
    few = interactions.only(interactions.rows() < 99)
    assert (
        "99 people did two things or more and liked one"
        in data_report(few, None, SCALE)["notes"][0]
    )


def test_of_data_that_can_be_judged_by_nothing_is_noted(interactions):
    assert data_report(interactions, None, SCALE)["notes"] == []


def test_that_viewings_count_as_likes_is_said_of_a_stream_of_viewings_alone(interactions):
    watched = replace(interactions, ratings=np.full_like(interactions.ratings, np.nan))
    report = data_report(watched, None, SCALE)
    assert report["viewings_liked"]
    assert report["notes"] == [
        "nobody rated anything: a viewing counts as a like, in what is judged and learned"
    ]


def test_that_ratings_alone_count_is_stated(interactions):
    assert not data_report(interactions, None, SCALE)["viewings_liked"]


def test_that_nobody_rated_a_movie_as_liked_is_said(interactions):
    lukewarm = replace(interactions, ratings=np.minimum(interactions.ratings, np.float32(3)))
    assert data_report(lukewarm, None, SCALE)["notes"][0].startswith("no rating from 4 on was seen")

from dataclasses import replace

import numpy as np
import pytest

from trainer.data.report import LastVersion, data_report


def last(interactions, times=1):
    report = data_report(interactions, None)
    before = {"interactions": times * len(interactions), "report": report}
    return LastVersion(before, interactions.users, interactions.movies)


def test_counts_and_shares_are_told(interactions):
    report = data_report(interactions, None)
    assert report["ratings"] == len(interactions)
    assert report["viewings_unrated"] == 0
    assert report["density"] == len(interactions) / (120 * 60)
    assert sum(report["rating_shares"].values()) == pytest.approx(1)
    assert report["alarms"] == []


def test_the_same_data_again_is_nothing_new(interactions):
    report = data_report(interactions, last(interactions))
    assert (report["users_unseen"], report["movies_unseen"], report["drift"]) == (0, 0, 0)


def test_new_users_and_movies_are_counted(interactions):
    before = LastVersion(
        last(interactions).report, interactions.users[:90], interactions.movies[:45]
    )
    report = data_report(interactions, before)
    assert (report["users_unseen"], report["movies_unseen"]) == (0.25, 0.25)


def test_ratings_of_another_kind_are_an_alarm(interactions):
    all_good = replace(interactions, ratings=np.full_like(interactions.ratings, 5))
    report = data_report(all_good, last(interactions))
    assert report["drift"] > 0.25
    assert "spread otherwise" in report["alarms"][0]


def test_half_of_the_data_gone_is_an_alarm(interactions):
    report = data_report(interactions, last(interactions, times=3))
    assert "in the last version" in report["alarms"][0]


def test_a_version_from_before_there_were_reports_is_no_alarm(interactions):
    before = LastVersion({"interactions": 10}, interactions.users, interactions.movies)
    assert data_report(interactions, before)["drift"] == 0


def test_data_without_ratings_is_described_too(interactions):
    watched = replace(interactions, ratings=np.full_like(interactions.ratings, np.nan))
    assert data_report(watched, last(interactions))["rating_shares"] == {}

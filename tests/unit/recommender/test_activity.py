"""What is remembered of each user, and which offsets are still to be read."""

from datetime import UTC, datetime, timedelta
from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.activity.follower import OFFSETS_A_READ, gone_back, unread
from recommender.activity.recent import (
    MOVIES_A_USER,
    MOVIES_FOR_EACH_USER,
    RecentActivity,
    moment,
)

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def at(minute, partition=0, offset=0):
    return moment(BEGUN + timedelta(minutes=minute), partition, offset)


def noted(*deeds, users=10):
    """Activity of user 1, each deed a minute after the one before."""
    activity = RecentActivity(users)
    for minute, (movie, rating) in enumerate(deeds):
        activity.note(1, movie, rating, at(minute))
    return activity


def test_a_rating_is_not_hidden_by_watching_the_movie_again():
    assert noted(("heat+1995", 4.0), ("heat+1995", nan)).of(1) == {"heat+1995": 4.0}


def test_a_rating_takes_the_place_of_a_watched_movie_and_of_an_earlier_rating():
    activity = noted(("heat+1995", nan), ("heat+1995", 2.0), ("heat+1995", 5.0))

    assert activity.of(1) == {"heat+1995": 5.0}


def test_what_was_rated_last_stands_last():
    activity = noted(("heat+1995", nan), ("ronin+1998", nan), ("heat+1995", 4.0))

    assert list(activity.of(1)) == ["ronin+1998", "heat+1995"]


def test_a_movie_that_is_watched_on_keeps_its_place():
    activity = noted(("heat+1995", nan), ("ronin+1998", nan), ("heat+1995", nan))

    assert list(activity.of(1)) == ["heat+1995", "ronin+1998"]


@pytest.mark.parametrize(
    ("earlier", "later"), [((9, 1, 0), (10, 0, 0)), ((9, 0, 7), (9, 1, 0)), ((9, 1, 7), (9, 1, 8))]
)
def test_a_moment_is_by_time_then_by_where_the_line_stands(earlier, later):
    assert at(*earlier) < at(*later)


deeds = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from(["heat+1995", "ronin+1998", "alien+1979", "brazil+1985"]),
        st.sampled_from([nan, 1.0, 3.5, 5.0]),
        st.integers(0, 5),
    ),
    max_size=20,
)


@given(deeds=deeds, data=st.data())
def test_whatever_is_noted_first_what_is_known_is_the_same(deeds, data):
    """Partitions and tables are read one after the other."""
    lines = [(*deed, offset) for offset, deed in enumerate(deeds)]
    activities = []
    for order in (lines, data.draw(st.permutations(lines))):
        activity = RecentActivity(10)
        for user, movie, rating, minute, offset in order:
            activity.note(user, movie, rating, at(minute, 0, offset))
        activities.append([str(list(activity.of(user).items())) for user in (1, 2, 3)])

    assert activities[0] == activities[1]


def test_a_mapping_that_was_looked_at_never_changes():
    activity = noted(("heat+1995", nan))
    looked_at = activity.of(1)
    activity.note(1, "ronin+1998", 3.0, at(9))

    assert list(looked_at) == ["heat+1995"]
    assert isnan(looked_at["heat+1995"])


def test_what_changes_nothing_leaves_the_mapping_as_it_is():
    activity = noted(("heat+1995", 4.0))
    looked_at = activity.of(1)
    activity.note(1, "heat+1995", nan, at(9))

    assert activity.of(1) is looked_at


def test_what_a_model_was_trained_on_is_forgotten():
    activity = RecentActivity(10)
    activity.note(1, "heat+1995", 4.0, at(1, 0, 10))
    activity.note(1, "ronin+1998", nan, at(2, 1, 10))
    activity.note(2, "heat+1995", 4.0, at(1, 0, 9))
    activity.forget({0: 11, 1: 5})

    assert list(activity.of(1)) == ["ronin+1998"]
    assert (dict(activity.of(2)), len(activity)) == ({}, 1)


def test_the_longest_inactive_user_is_forgotten_first_whoever_is_noted_first():
    activity = RecentActivity(2)
    for user, hour in ((1, 3), (2, 1), (3, 2)):
        activity.note(user, "heat+1995", 4.0, at(hour * 60))

    assert [user for user in (1, 2, 3) if activity.of(user)] == [1, 3]


def test_one_user_cannot_fill_the_memory():
    activity = RecentActivity(1_000)
    for number in range(MOVIES_A_USER + 5):
        activity.note(1, f"movie+{number}", nan, at(number))

    assert len(activity.of(1)) == MOVIES_A_USER
    assert "movie+4" not in activity.of(1)


def test_many_busy_users_cannot_fill_the_memory():
    users = 20
    activity = RecentActivity(users)
    for number in range(users * 4 * MOVIES_FOR_EACH_USER):
        activity.note(number % users, f"movie+{number}", nan, at(number))

    known = sum(len(activity.of(user)) for user in range(users))
    assert 0 < known <= users * MOVIES_FOR_EACH_USER


@given(start=st.integers(0, 10**6), length=st.integers(0, 10**6), counted=st.integers(0, 3 * 10**6))
def test_what_is_unread_is_read_once_in_bounded_pieces(start, length, counted):
    spans = list(unread({0: start}, {0: start + length}, {0: counted}))

    assert [span.start for span in spans[1:]] == [span.end for span in spans[:-1]]
    assert sum(span.end - span.start for span in spans) == length
    assert all(0 < span.end - span.start <= OFFSETS_A_READ for span in spans)
    assert not any(span.start < counted < span.end for span in spans)


def test_a_partition_met_for_the_first_time_is_read_from_its_beginning():
    assert [(span.start, span.end) for span in unread({}, {3: 10}, {})] == [(0, 10)]


def test_a_model_of_older_data_sends_us_back_and_one_of_newer_data_does_not():
    assert gone_back({0: 50, 1: 50}, {0: 20, 1: 80}) == {0: 20, 1: 50}


def test_a_partition_without_a_position_starts_where_the_model_s_data_end():
    assert gone_back({}, {0: 20}) == {0: 20}

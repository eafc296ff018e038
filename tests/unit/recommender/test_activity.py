"""What is remembered of each user, and which offsets are still to be read."""

from math import isnan, nan

from hypothesis import given
from hypothesis import strategies as st

from recommender.activity.follower import OFFSETS_A_READ, gone_back, unread
from recommender.activity.recent import MOVIES_A_USER, RecentActivity


def test_a_rating_is_not_hidden_by_watching_the_movie_again():
    activity = RecentActivity(10)
    activity.note(1, "heat+1995", 4.0)
    activity.note(1, "heat+1995", nan)

    assert activity.of(1) == {"heat+1995": 4.0}


def test_a_rating_takes_the_place_of_a_watched_movie_and_of_an_earlier_rating():
    activity = RecentActivity(10)
    for rating in (nan, 2.0, 5.0):
        activity.note(1, "heat+1995", rating)

    assert activity.of(1) == {"heat+1995": 5.0}


def test_what_was_rated_last_stands_last():
    activity = RecentActivity(10)
    for movie, rating in (("heat+1995", nan), ("ronin+1998", nan), ("heat+1995", 4.0)):
        activity.note(1, movie, rating)

    assert list(activity.of(1)) == ["ronin+1998", "heat+1995"]


def test_a_mapping_that_was_looked_at_never_changes():
    activity = RecentActivity(10)
    activity.note(1, "heat+1995", nan)
    looked_at = activity.of(1)
    activity.note(1, "ronin+1998", 3.0)

    assert list(looked_at) == ["heat+1995"]
    assert isnan(looked_at["heat+1995"])


def test_the_longest_inactive_user_is_forgotten_first():
    activity = RecentActivity(2)
    for user in (1, 2, 1, 3):
        activity.note(user, "heat+1995", 4.0)

    assert [user for user in (1, 2, 3) if activity.of(user)] == [1, 3]


def test_one_user_cannot_fill_the_memory():
    activity = RecentActivity(2)
    for number in range(MOVIES_A_USER + 5):
        activity.note(1, f"movie+{number}", nan)

    assert len(activity.of(1)) == MOVIES_A_USER
    assert "movie+4" not in activity.of(1)


@given(start=st.integers(0, 10**6), length=st.integers(0, 10**6))
def test_what_is_unread_is_read_once_in_bounded_pieces(start, length):
    spans = list(unread({0: start}, {0: start + length}))

    assert [span.start for span in spans[1:]] == [span.end for span in spans[:-1]]
    assert sum(span.end - span.start for span in spans) == length
    assert all(0 < span.end - span.start <= OFFSETS_A_READ for span in spans)


def test_a_partition_met_for_the_first_time_is_read_from_its_beginning():
    assert [(span.start, span.end) for span in unread({}, {3: 10})] == [(0, 10)]


def test_a_model_of_older_data_sends_us_back_and_one_of_newer_data_does_not():
    assert gone_back({0: 50, 1: 50}, {0: 20, 1: 80}) == {0: 20, 1: 50}


def test_a_partition_without_a_position_starts_where_the_model_s_data_end():
    assert gone_back({}, {0: 20}) == {0: 20}

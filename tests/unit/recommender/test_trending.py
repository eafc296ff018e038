"""What is popular lately, as time goes on."""

from datetime import UTC, datetime, timedelta

import pytest

from recommender.activity.trending import Trending

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def lately():
    return Trending(BEGUN)


def discover(lately, movie, times, at=BEGUN):
    for _ in range(times):
        lately.count(movie, at)


def test_the_movie_that_more_people_met_comes_first(lately):
    discover(lately, "heat+1995", 4)
    discover(lately, "ronin+1998", 5)
    lately.refresh(BEGUN)

    assert lately.movies == ["ronin+1998", "heat+1995"]


def test_what_a_few_people_met_is_not_popular(lately):
    discover(lately, "heat+1995", 2)
    lately.refresh(BEGUN)

    assert lately.movies == []


def test_a_meeting_counts_half_as_much_a_day_later(lately):
    discover(lately, "old+1995", 10)
    discover(lately, "new+1998", 6, at=BEGUN + DAY)
    lately.refresh(BEGUN + DAY)
    assert lately.movies == ["new+1998", "old+1995"]

    lately.refresh(BEGUN + 2 * DAY)
    assert lately.movies == ["new+1998"]


def test_meetings_before_the_process_began_count_by_their_age(lately):
    discover(lately, "heat+1995", 11, at=BEGUN - 2 * DAY)
    lately.refresh(BEGUN)

    assert lately.movies == []


def test_damaged_movie_ids_cannot_fill_the_memory(lately, monkeypatch):
    monkeypatch.setattr("recommender.activity.trending.MOVIES_COUNTED", 10)
    discover(lately, "heat+1995", 3)
    for number in range(100):
        lately.count(f"damaged+{number}", BEGUN)
    lately.refresh(BEGUN)

    assert lately.movies == ["heat+1995"]

"""What is popular lately, as time goes on."""

from datetime import UTC, datetime, timedelta

import pytest

from recommender.activity.trending import Trending

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def trending():
    return Trending(BEGUN)


def discover(trending, movie, times, at=BEGUN):
    for _ in range(times):
        trending.count(movie, at)


def test_the_movie_that_more_people_met_comes_first(trending):
    discover(trending, "heat+1995", 4)
    discover(trending, "ronin+1998", 5)
    trending.refresh(BEGUN)

    assert trending.movies == ["ronin+1998", "heat+1995"]


def test_what_a_few_people_met_is_not_popular(trending):
    discover(trending, "heat+1995", 2)
    trending.refresh(BEGUN)

    assert trending.movies == []


def test_a_meeting_counts_half_as_much_a_day_later(trending):
    discover(trending, "old+1995", 10)
    discover(trending, "new+1998", 6, at=BEGUN + DAY)
    trending.refresh(BEGUN + DAY)
    assert trending.movies == ["new+1998", "old+1995"]

    trending.refresh(BEGUN + 2 * DAY)
    assert trending.movies == ["new+1998"]


def test_meetings_before_the_process_began_count_by_their_age(trending):
    discover(trending, "heat+1995", 11, at=BEGUN - 2 * DAY)
    trending.refresh(BEGUN)

    assert trending.movies == []


def test_damaged_movie_ids_cannot_fill_the_memory(trending, monkeypatch):
    monkeypatch.setattr("recommender.activity.trending.MOVIES_COUNTED", 10)
    discover(trending, "heat+1995", 3)
    for number in range(100):
        trending.count(f"damaged+{number}", BEGUN)
    trending.refresh(BEGUN)

    assert trending.movies == ["heat+1995"]

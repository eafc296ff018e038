from collections import defaultdict
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.simulator.movielens import (
    Rating,
    read_movies,
    read_ratings,
    recent_times,
    slug,
    split_by_user,
)
from ingest.lines.grammar import Watched, format_line, parse

FOLDER = files("compose.simulator") / "movielens"
NOW = datetime(2025, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def movies():
    return read_movies(FOLDER)


@pytest.fixture(scope="module")
def ratings(movies):
    return read_ratings(FOLDER, movies)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Godfather, The (1972)", "the+godfather+1972"),
        ("Misérables, Les (1995)", "les+miserables+1995"),
        ("Seven (a.k.a. Se7en) (1995)", "seven+1995"),
        ("Tinker, Tailor, Soldier, Spy (1979)", "tinker+tailor+soldier+spy+1979"),
        ("M*A*S*H (a.k.a. MASH) (1970)", "m*a*s*h+1970"),
        ("Black Mirror", "black+mirror"),
        ("Death Note: Desu nôto (2006\u20132007)", "death+note+desu+noto+2006"),  # noqa: RUF001, RUF100 -- so in the set
        ("2012 (2009)", "2012+2009"),
    ],
)
def test_a_title_becomes_the_slug_real_streams_use(title, expected):
    assert slug(title) == expected


def test_every_movie_has_a_slug_of_its_own(movies):
    assert len({movie.slug for movie in movies}) == len(movies) == 9742


def test_a_slug_that_is_taken_gets_the_movielens_number(movies):
    assert [movie.slug for movie in movies if movie.title == "Emma (1996)"] == [
        "emma+1996",
        "emma+1996+26958",
    ]


def test_every_slug_is_a_movie_id_to_the_parser_of_the_stream(movies):
    events = [Watched(NOW, 1, movie.slug, 1) for movie in movies]
    assert [parse(format_line(event)) for event in events] == events


def test_the_latest_fifth_of_each_users_ratings_is_held_out(ratings):
    sent, held_out = split_by_user(ratings)
    of_user = defaultdict(lambda: ([], []))
    for rating in sent:
        of_user[rating.user_id][0].append((rating.timestamp, rating.movie))
    for rating in held_out:
        of_user[rating.user_id][1].append((rating.timestamp, rating.movie))
    assert len(of_user) == 610
    for early, late in of_user.values():
        assert len(late) == max(1, (len(early) + len(late)) // 5)
        assert max(early) < min(late)


def test_no_rating_is_both_sent_and_held_out(ratings):
    sent, held_out = split_by_user(ratings)
    assert set(sent).isdisjoint(held_out)
    assert len(sent) + len(held_out) == len(ratings) == 100836


def test_somebody_with_two_ratings_keeps_the_later_one_back():
    first, second = Rating(1, 7, 4.0, 100), Rating(1, 3, 2.0, 200)
    assert split_by_user([first, second]) == ([first], [second])


@given(st.lists(st.integers(0, 2_000_000_000), min_size=1, max_size=60))
def test_mapped_times_ascend_strictly_within_the_last_90_days(timestamps):
    times = recent_times(sorted(timestamps), NOW)
    assert all(earlier < later for earlier, later in pairwise(times))
    assert NOW - timedelta(days=90) <= times[0]
    assert times[-1] <= NOW


def test_the_order_of_the_whole_set_survives_the_mapping(ratings):
    times = recent_times([rating.timestamp for rating in ratings], NOW)
    assert all(earlier < later for earlier, later in pairwise(times))

"""What is read of the newest lines, on a real database."""

import json
from datetime import timedelta

import psycopg
import pytest

from monitoring.drift.comparison import RecentLines
from monitoring.drift.recent_lines import LINES, RECENT, read_recent_lines
from tests.integration.played_stream import NOW, PlayedStream, Rated, Watched

REPORT = {"ratings": 3, "rating_shares": {"4": 1}}
JUST_NOW = 239
"""A minute of the played stream that is past."""


@pytest.fixture
def stream(owner):
    return PlayedStream(owner)


@pytest.fixture
def live(owner):
    owner.execute(
        "INSERT INTO model_version (version, algorithm, created_at, git_commit, data_hash,"
        " interactions, users, movies, figures, manifest, verdict, reason)"
        " VALUES ('v1', 'ease', %s, 'c', 'd', 3, 2, 100, '{}', %s, 'accepted', '')",
        (NOW - timedelta(days=1), json.dumps({"data": {"report": REPORT}})),
    )
    owner.execute(
        "INSERT INTO deployment (action, step, version, slot, share, live_version, live_slot,"
        " reason) VALUES ('release', 'promote', 'v1', 'blue', 1000, 'v1', 'blue', 'first')"
    )


def met(owner, user: int, movie: str, days_ago: int) -> None:
    at = NOW - timedelta(days=days_ago)
    owner.execute("INSERT INTO app_user (user_id, first_seen) VALUES (%s, %s)", (user, at))
    owner.execute("INSERT INTO movie (movie_id, first_seen) VALUES (%s, %s)", (movie, at))


def read(conninfo) -> RecentLines | None:
    with psycopg.connect(conninfo("evaluation"), autocommit=True) as evaluation:
        return read_recent_lines(evaluation, NOW)


@pytest.mark.usefixtures("live")
def test_what_people_did_is_told_beside_the_report_of_what_is_live(conninfo, owner, stream):
    met(owner, 1, "old", days_ago=3)
    met(owner, 2, "new", days_ago=0)
    stream.land(
        Watched(JUST_NOW, 1, "old"),
        Watched(JUST_NOW, 1, "old"),
        Watched(JUST_NOW, 2, "old"),
        Rated(JUST_NOW, 1, "old", 4),
        Rated(JUST_NOW, 2, "new", 4.5),
    )
    stream.land(Watched(JUST_NOW, 3, "never met before"), partition=1)
    assert read(conninfo) == RecentLines(
        model_version="v1",
        trained=REPORT,
        ratings={"4": 1, "4.5": 1},
        pairs=4,
        rated_pairs=2,
        pairs_with_new_movies=2,
        pairs_with_top_movies=2,
        people=3,
        new_people=2,
    )


def test_where_nothing_is_live_there_is_nothing_to_compare_with(conninfo, stream):
    stream.land(Watched(JUST_NOW, 1, "a"))
    assert read(conninfo) is None


@pytest.mark.usefixtures("live")
def test_a_silent_stream_has_done_nothing(conninfo):
    found = read(conninfo)
    assert found is not None
    assert (found.pairs, found.people, found.ratings) == (0, 0, {})


@pytest.mark.usefixtures("live")
def test_what_is_old_or_far_back_is_not_of_late(conninfo, owner, stream):
    stream.land(Watched(JUST_NOW - RECENT / timedelta(minutes=1) - 1, 1, "yesterday's"))
    stream.land(Watched(JUST_NOW, 2, "far back"), partition=1)
    owner.execute("UPDATE stream_offset SET next_offset = %s WHERE log_partition = 1", (2 * LINES,))
    stream.land(Watched(JUST_NOW, 3, "now"))
    found = read(conninfo)
    assert found is not None
    assert (found.pairs, found.people) == (1, 1)

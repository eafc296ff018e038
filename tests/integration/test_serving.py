"""A slot against a real PostgreSQL: activity is followed, receipts land, PostgreSQL may go."""

import json
import re
import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from recommender.activity.follower import ActivityFollower
from recommender.activity.recent import RecentActivity
from recommender.activity.trending import Trending
from recommender.connection import KeptConnection
from recommender.metrics import Metrics
from tests.integration.serving import get
from tests.unit.recommender.versions import MOVIES, publish
from tests.waiting import eventually

FIRST, SECOND = "20260101-000000-ease", "20260102-000000-ease"
NOW = datetime.now(UTC)


def land(database, rows, next_offset, partition=0, time=NOW):
    """Rows and their offset in one transaction, as ingest writes them."""
    with psycopg.connect(database) as connection:
        for table, user, movie, value, offset in rows:
            connection.execute(
                sql.SQL("INSERT INTO {} VALUES (%s, %s, %s, %s, %s, %s)").format(
                    sql.Identifier(table)
                ),
                (time, user, movie, value, partition, offset),
            )
        connection.execute(
            "INSERT INTO stream_offset VALUES (%s, %s, 0, %s, now())"
            " ON CONFLICT (topic, log_partition) DO UPDATE SET next_offset = %s",
            ("movielog", partition, next_offset, next_offset),
        )


@pytest.fixture
def connection(conninfo):
    connection = KeptConnection(conninfo("recommender"))
    yield connection
    connection.close()


class TestActivity:
    @pytest.fixture
    def activity(self):
        return RecentActivity(100)

    @pytest.fixture
    def follower(self, connection, activity):
        return ActivityFollower(
            connection, "movielog", activity, Trending(NOW), Metrics().freshness
        )

    def test_rows_past_the_model_s_data_are_followed_and_earlier_ones_are_not(
        self, conninfo, activity, follower
    ):
        rows = [("rating", 1, "old", 5, 9), ("rating", 1, "new", 4, 10), ("watch", 2, "new", 3, 11)]
        land(conninfo("marquee"), rows, 12)
        follower.catch_up({0: 10})

        assert activity.of(1) == {"new": 4.0}
        assert list(activity.of(2)) == ["new"]

    def test_rows_that_landed_since_are_added(self, conninfo, activity, follower):
        land(conninfo("marquee"), [("rating", 1, "first", 5, 0)], 1)
        follower.catch_up({0: 0})
        land(conninfo("marquee"), [("rating", 1, "second", 4, 1)], 2)
        follower.catch_up({0: 0})

        assert activity.of(1) == {"first": 5.0, "second": 4.0}

    def test_a_model_of_older_data_makes_it_read_again_from_there(
        self, conninfo, activity, follower
    ):
        land(conninfo("marquee"), [("rating", 1, "a", 5, 0), ("rating", 1, "b", 4, 1)], 2)
        follower.catch_up({0: 1})
        follower.catch_up({0: 0})

        assert activity.of(1) == {"a": 5.0, "b": 4.0}

    def test_the_last_of_several_ratings_counts(self, conninfo, activity, follower):
        rows = [("rating", 1, "a", value, value) for value in (1, 5, 3)]
        land(conninfo("marquee"), rows, 6)
        follower.catch_up({})

        assert activity.of(1) == {"a": 5.0}


A, B, C, NEXT = 1, 2, 3, 20
"""Each movie is followed by the one so many places further on."""
DEEDS = [("rating", A, 1, 0), ("rating", B, 0, 0), ("watch", C, 0, 1)]
"""In the order of time: partitions are read from 0 on, and watching before ratings."""


def land_deeds(database, deeds, user=5):
    """Each a minute after the one before; None is passed over."""
    for minute, deed in enumerate(deeds):
        if deed is None:
            continue
        table, movie, partition, offset = deed
        row = (table, user, MOVIES[movie], 4, offset)
        time = NOW - timedelta(minutes=len(DEEDS) - minute)
        land(database, [row], offset + 1, partition, time=time)


def answered_and_explained(slots, slot, user=5):
    """The first movie and its score, as the slot says and as `explain` says."""
    answer = json.loads(get(slot.port, f"/recommend/{user}", Accept="application/json")[1])
    eventually(lambda: slots.explain(answer["receipt_id"]).returncode == 0)
    said = slots.explain(answer["receipt_id"]).stdout
    movie, score = re.search(r"^  1 (\S+) \(([-.0-9]+)\)", said, re.MULTILINE).groups()
    first = answer["movies"][0]
    return (first["movie_id"], f"{first['score']:.3f}"), (movie, score)


def test_after_a_restart_what_was_done_last_decides_whatever_is_read_first(slots, conninfo):
    publish(slots.models, FIRST, follows={movie: [movie + NEXT] for movie in (A, B, C)})
    land_deeds(conninfo("marquee"), DEEDS)
    slot = slots.start("blue", FIRST)
    eventually(lambda: get(slot.port, "/recommend/5")[1].startswith(MOVIES[C + NEXT]))

    answered, explained = answered_and_explained(slots, slot)
    assert answered == explained


def test_what_lands_late_takes_its_place_in_time(slots, conninfo):
    publish(slots.models, FIRST, follows={movie: [movie + NEXT] for movie in (A, C)})
    slot = slots.start("blue", FIRST)
    land_deeds(conninfo("marquee"), [None, None, DEEDS[2]])
    eventually(lambda: get(slot.port, "/recommend/5")[1].startswith(MOVIES[C + NEXT]))
    land_deeds(conninfo("marquee"), DEEDS[:1])
    eventually(lambda: MOVIES[A] not in get(slot.port, "/recommend/5")[1].split(","))

    answered, explained = answered_and_explained(slots, slot)
    assert answered[0] == MOVIES[C + NEXT]
    assert answered == explained


def test_what_a_new_model_was_trained_on_is_not_ranked_anew(slots, conninfo):
    known = {"top": {5: range(30, 50)}, "rated": 4.0, "likes": {3: [50]}}
    publish(slots.models, FIRST, seen={5: [9]}, **known)
    publish(slots.models, SECOND, seen={5: [3, 9]}, offsets={"0": 1}, **known)
    land(conninfo("marquee"), [("rating", 5, MOVIES[3], 5, 0)], 1)
    slot = slots.start("blue", FIRST)
    eventually(lambda: reason_of(slot) == (FIRST, "fold_in"))
    slot.assign(SECOND)

    eventually(lambda: reason_of(slot) == (SECOND, "model"))


def reason_of(slot):
    answer = json.loads(get(slot.port, "/recommend/5", Accept="application/json")[1])
    return answer["model_version"], answer["reason"]


def test_a_user_s_ratings_change_the_list_without_a_new_model(slots, conninfo):
    publish(slots.models, FIRST, likes={3: [50, 51]})
    slot = slots.start("blue", FIRST)
    assert get(slot.port, "/recommend/5")[1].startswith(MOVIES[0])
    land(conninfo("marquee"), [("rating", 5, MOVIES[3], 5, 0)], 1)

    eventually(lambda: get(slot.port, "/recommend/5")[1].startswith(MOVIES[50]))


def test_a_new_model_is_taken_over_without_a_failed_request(slots):
    publish(slots.models, FIRST, top={1: range(40, 60)})
    publish(slots.models, SECOND, top={1: range(20, 40)})
    slot = slots.start("blue", FIRST)
    answers, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            answers.append(get(slot.port, "/recommend/1"))

    asking = threading.Thread(target=ask)
    asking.start()
    slot.assign(SECOND)
    eventually(lambda: slot.answers_with(SECOND))
    stop.set()
    asking.join()

    assert {status for status, _body in answers} == {200}
    assert {body.split(",")[0] for _status, body in answers} == {MOVIES[40], MOVIES[20]}


def test_a_damaged_model_is_refused_and_the_last_good_one_goes_on(slots):
    publish(slots.models, FIRST)
    publish(slots.models, SECOND)
    (slots.models / "versions" / SECOND / "popular.npy").write_bytes(b"half")
    slot = slots.start("blue", FIRST)
    slot.assign(SECOND)
    eventually(lambda: slot.readiness()["refused"] == SECOND)

    assert slot.answers_with(FIRST)
    assert get(slot.port, "/recommend/1")[0] == 200
    assert "marquee_model_refused_total 1.0" in get(slot.port, "/metrics")[1]


def test_a_slot_that_never_had_a_good_model_says_503(slots):
    slot = slots.start("green")
    eventually(lambda: slot.readiness().get("ready") is False)

    assert get(slot.port, "/recommend/1")[0] == 503
    assert json.loads(get(slot.port, "/readyz")[1])["slot"] == "green"


def test_somebody_new_is_answered_by_what_people_like_them_know(slots, conninfo):
    seen = {user: [40, 41] if user <= 60 else [0, 1] for user in range(1, 121)}
    publish(slots.models, FIRST, top={user: range(10, 30) for user in seen}, seen=seen)
    with psycopg.connect(conninfo("marquee")) as connection:
        connection.execute(
            "INSERT INTO app_user (user_id, age, gender)"
            " SELECT n, CASE WHEN n <= 60 OR n = 999 THEN 25 ELSE 62 END, 'F'"
            " FROM generate_series(1, 999) AS n"
        )
    slot = slots.start("blue", FIRST)

    eventually(lambda: MOVIES[40] in get(slot.port, "/recommend/999")[1].split(",")[:2])
    answer = json.loads(get(slot.port, "/recommend/999", Accept="application/json")[1])
    assert answer["reason"] == "people"


def test_what_many_did_lately_is_answered_to_somebody_unknown(slots, conninfo):
    publish(slots.models, FIRST)
    slot = slots.start("blue", FIRST)
    land(conninfo("marquee"), [("rating", user, MOVIES[33], 5, user) for user in range(1, 9)], 9)

    eventually(lambda: get(slot.port, "/recommend/999")[1].startswith(MOVIES[33]))
    assert 'reason="lately"' in get(slot.port, "/metrics")[1]


def test_how_fresh_answers_are_is_measured_from_lines_that_came_in_meanwhile(slots, conninfo):
    publish(slots.models, FIRST)
    slot = slots.start("blue", FIRST)
    eventually(lambda: "marquee_activity_followed_timestamp_seconds 1" in metrics_of(slot))
    assert "marquee_freshness_seconds_count 0.0" in metrics_of(slot)
    land(conninfo("marquee"), [("rating", 5, MOVIES[3], 5, 0)], 1)

    eventually(lambda: "marquee_freshness_seconds_count 1.0" in metrics_of(slot))


def metrics_of(slot):
    return get(slot.port, "/metrics")[1]

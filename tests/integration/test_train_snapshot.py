"""What a snapshot holds of a real database's rows, whatever the size of the pieces it comes in."""

from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg
import pytest

from trainer.data import snapshot
from trainer.errors import NoDataError

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
RATED = [
    (TODAY + timedelta(microseconds=65_535), 7, "b+1990", 4),
    (TODAY + timedelta(seconds=9), 7, "a+1991", 2.5),
    (TODAY + timedelta(seconds=8), 2**40, "b+1990", 5),
    (TODAY + timedelta(seconds=7), 7, "a+1991", 1),
    (TODAY + timedelta(seconds=9), 7, "a+1991", 3),
]
WATCHED = [(7, "c+1992", 12), (7, "a+1991", 30), (8, "d+1993", 9)]
EXPECTED = [
    (7, "b+1990", 4, RATED[0][0]),
    (7, "a+1991", 3, RATED[4][0]),
    (7, "c+1992", None, TODAY + timedelta(hours=1)),
    (2**40, "b+1990", 5, RATED[2][0]),
]


def load(conninfo, rated, watched):
    with psycopg.connect(conninfo("ingest")) as connection:
        connection.cursor().executemany(
            "INSERT INTO rating (time, user_id, movie_id, rating, log_partition, log_offset)"
            " VALUES (%s, %s, %s, %s, 0, %s)",
            [(*row, offset) for offset, row in enumerate(rated)],
        )
    with psycopg.connect(conninfo("retention")) as connection:
        connection.cursor().executemany(
            "INSERT INTO viewing (day, user_id, movie_id, minutes, furthest_minute, first_watched,"
            " last_watched) VALUES (%(day)s, %(user)s, %(movie)s, %(minutes)s, %(minutes)s,"
            " %(day)s, %(day)s + interval '1 hour')",
            [{"day": TODAY, "user": u, "movie": m, "minutes": n} for u, m, n in watched],
        )


def loose(interactions):
    rows = zip(
        interactions.users[interactions.rows()].tolist(),
        [interactions.movies[item] for item in interactions.items],
        [None if np.isnan(rating) else float(rating) for rating in interactions.ratings],
        interactions.times.tolist(),
        strict=True,
    )
    return [(u, m, r, datetime.fromtimestamp(t // 10**6, UTC) + timedelta(microseconds=t % 10**6))
            for u, m, r, t in rows]  # fmt: skip


@pytest.mark.parametrize("rows_at_once", [1, 2, 100_000])
def test_each_pair_is_there_once_with_its_latest_rating(
    conninfo, trainer, monkeypatch, rows_at_once
):
    monkeypatch.setattr(snapshot, "ROWS_AT_ONCE", rows_at_once)
    load(conninfo, RATED, WATCHED)
    interactions = snapshot.take_snapshot(trainer, watched_minutes=10).interactions
    assert loose(interactions) == EXPECTED
    assert interactions.movies == ("a+1991", "b+1990", "c+1992")


def test_a_movie_that_was_not_watched_for_long_is_nothing_to_train_on(conninfo, trainer):
    load(conninfo, [], WATCHED[-1:])
    with pytest.raises(NoDataError):
        snapshot.take_snapshot(trainer, watched_minutes=10)


def test_people_of_a_kind_are_in_one_group(conninfo, trainer):
    load(conninfo, RATED, WATCHED)
    described = [(7, 25, "F", "writer"), (2**40, 29, "F", None), (8, 71, "M", "writer")]
    with psycopg.connect(conninfo("retention")) as connection:
        connection.cursor().executemany(
            "INSERT INTO app_user (user_id, age, gender, occupation) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (user_id) DO UPDATE"
            " SET (age, gender, occupation) = (excluded.age, excluded.gender, excluded.occupation)",
            described,
        )
    kinds = snapshot.take_snapshot(trainer, watched_minutes=10).interactions.groups
    assert kinds.known.all()
    assert kinds.ages[0] == kinds.ages[1]
    assert kinds.occupations[0] != kinds.occupations[1]

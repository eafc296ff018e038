from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data import interactions as interactions_module
from trainer.data.interactions import Interactions, Scale

LOOSE = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 5), st.integers(1, 5), st.integers(0, 99)),
    min_size=1,
    max_size=40,
    unique_by=lambda row: row[:2],
)


def assemble(rows, movies=("f", "e", "d", "c", "b", "a")):
    users, codes, ratings, times = (np.array(column) for column in zip(*rows, strict=True))
    return Interactions.assemble(
        users.astype(np.int64),
        movies,
        codes.astype(np.int32),
        ratings.astype(np.float32),
        times.astype(np.int64),
    )


def loose(interactions):
    return {
        (int(interactions.users[row]), interactions.movies[item], float(rating), int(time))
        for row, item, rating, time in zip(
            interactions.rows(),
            interactions.items,
            interactions.ratings,
            interactions.times,
            strict=True,
        )
    }


@given(LOOSE)
def test_assembling_keeps_every_interaction(rows):
    expected = {(user, "fedcba"[code], float(rating), time) for user, code, rating, time in rows}
    assert loose(assemble(rows)) == expected


@given(LOOSE)
def test_a_row_is_in_order_of_time(rows):
    interactions = assemble(rows)
    keys = list(zip(interactions.rows(), interactions.times, strict=True))
    assert keys == sorted(keys)


def test_of_what_was_done_at_one_instant_each_movie_is_last_as_often():
    people = 6_000
    made = assemble([(user, code, 5, 7) for user in range(people) for code in range(6)])
    last = np.bincount(made.items[made.indptr[1:] - 1], minlength=6)
    expected, deviation = people / 6, (people / 6 * 5 / 6) ** 0.5
    assert (np.abs(last - expected) < 5 * deviation).all()


def test_a_movie_more_leaves_what_was_done_at_one_instant_in_its_order():
    few = assemble([(1, code, 5, 7) for code in range(1, 6)])
    more = assemble([(1, code, 5, 7) for code in range(6)])
    before = [few.movies[item] for item in few.items]
    assert [more.movies[item] for item in more.items if more.movies[item] != "f"] == before


@given(LOOSE, st.randoms(use_true_random=False))
def test_the_order_rows_come_in_changes_nothing(rows, random):
    shuffled = random.sample(rows, len(rows))
    assert assemble(shuffled).hash() == assemble(rows).hash()


@given(LOOSE, st.integers(1, 9))
def test_how_many_are_sorted_at_once_changes_nothing(rows, at_once):
    whole = assemble(rows).hash()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interactions_module, "SORTED_AT_ONCE", at_once)
        assert assemble(rows).hash() == whole


def test_nothing_is_assembled_from_nothing():
    nothing = np.empty(0, np.int64)
    made = Interactions.assemble(nothing, [], nothing.astype("i4"), nothing.astype("f4"), nothing)
    assert (len(made), made.indptr.tolist()) == (0, [0])


def test_index_maps_are_sorted():
    interactions = assemble([(7, 0, 5, 1), (3, 5, 4, 1)])
    assert interactions.users.tolist() == [3, 7]
    assert interactions.movies == ("a", "b", "c", "d", "e", "f")


@given(LOOSE, st.data())
def test_a_part_keeps_the_index_maps_and_only_its_interactions(rows, data):
    interactions = assemble(rows)
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    part, rest = interactions.only(kept), interactions.only(~kept)
    assert part.movies == interactions.movies
    assert loose(part) | loose(rest) == loose(interactions)
    assert len(part) == kept.sum()


def test_a_matrix_owns_its_memory():
    interactions = assemble([(1, 0, 5, 1), (1, 1, 4, 2)])
    matrix = interactions.matrix(np.zeros(2, np.float32))
    matrix.eliminate_zeros()
    assert len(interactions.items) == 2
    assert interactions.indptr.tolist() == [0, 2]


def test_popular_is_by_count_then_by_index():
    interactions = assemble([(1, 0, 5, 1), (2, 0, 5, 1), (2, 5, 5, 2), (1, 3, 5, 2)])
    assert interactions.popular().tolist() == [5, 0, 2, 1, 3, 4]


def test_the_hash_sees_every_rating():
    interactions = assemble([(1, 0, 5, 1)])
    changed = replace(interactions, ratings=np.array([4], np.float32))
    assert changed.hash() != interactions.hash()


def test_the_scale_says_what_a_rating_means():
    assert (Scale(0.5, 5).midpoint, Scale(0.5, 5).liked.rating) == (2.5, 4)
    assert (Scale(1, 10).midpoint, Scale(1, 10).liked.rating) == (5, 8)

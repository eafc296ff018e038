import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trainer.interactions import Interactions
from trainer.split import split_at_one_time, split_each_user

HISTORIES = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 30), st.integers(0, 20)),
    min_size=1,
    max_size=120,
    unique_by=lambda row: row[:2],
)


def interactions_of(rows):
    users, codes, times = np.array(rows).T
    return Interactions.assemble(
        users,
        [f"movie+{code:02}" for code in range(31)],
        codes.astype(np.int32),
        np.ones(len(rows), np.float32),
        times,
    )


def pairs(interactions):
    return set(zip(interactions.rows().tolist(), interactions.items.tolist(), strict=True))


def times_by_user(interactions):
    return {
        row: interactions.times[interactions.indptr[row] : interactions.indptr[row + 1]]
        for row in range(len(interactions.users))
    }


@given(HISTORIES)
def test_nothing_of_a_users_future_is_in_their_training_part(rows):
    split = split_each_user(interactions_of(rows))
    past, future = times_by_user(split.training), times_by_user(split.test)
    assert all(past[row].max(initial=-1) <= future[row].min() for row in past)


@given(HISTORIES)
def test_each_interaction_is_in_one_part(rows):
    for split in (split_each_user, split_at_one_time):
        parts = split(interactions_of(rows))
        assert not pairs(parts.training) & pairs(parts.test)
        assert pairs(parts.training) | pairs(parts.test) == pairs(interactions_of(rows))


@given(HISTORIES)
def test_a_fifth_of_each_user_is_held_out_and_at_least_one(rows):
    interactions = interactions_of(rows)
    held_out = np.diff(split_each_user(interactions).test.indptr)
    lengths = np.diff(interactions.indptr)
    assert held_out.tolist() == [max(1, int(0.2 * length + 1e-9)) for length in lengths]


@given(HISTORIES)
def test_nothing_of_anybodys_future_is_in_the_earlier_part(rows):
    split = split_at_one_time(interactions_of(rows))
    latest_known = split.training.times.max(initial=-1)
    assert (split.test.times > latest_known).all()


@given(HISTORIES)
def test_a_fifth_at_most_is_held_out_by_one_cut(rows):
    assert len(split_at_one_time(interactions_of(rows)).test) <= len(rows) / 5

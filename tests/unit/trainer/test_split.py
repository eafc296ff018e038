import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data import split as split_module
from trainer.data.interactions import Interactions, Liked
from trainer.data.split import add_decoys, of_some_people, split_at_one_time, split_each_user
from trainer.evaluation.metrics import decoy_places
from trainer.selection.gate import LeakingModel

LIKED = Liked(1)
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
    split = split_each_user(interactions_of(rows), LIKED)
    past, future = times_by_user(split.training), times_by_user(split.test)
    assert all(past[row].max(initial=-1) <= future[row].min(initial=99) for row in past)


@given(HISTORIES)
def test_each_interaction_is_in_one_part(rows):
    for split in (split_each_user, split_at_one_time):
        parts = split(interactions_of(rows), LIKED)
        assert not pairs(parts.training) & pairs(parts.test)
        assert pairs(parts.training) | pairs(parts.test) == pairs(interactions_of(rows))


@given(HISTORIES, st.integers(0, 7), st.integers(0, 120))
def test_some_people_are_judged_and_all_that_is_known_of_them_is_learned_from(
    rows, judged, largest
):
    split = split_each_user(interactions_of(rows), LIKED)
    some = of_some_people(split, judged, largest, np.random.default_rng(1))
    everybody, drawn = ({row for row, _ in pairs(part.test)} for part in (split, some))
    known = {pair for pair in pairs(split.training) if pair[0] in drawn}
    assert len(drawn) == min(judged, len(everybody))
    assert pairs(some.test) == {pair for pair in pairs(split.test) if pair[0] in drawn}
    assert known <= pairs(some.training) <= pairs(split.training)
    assert len(some.training) <= max(largest, len(known))


@given(HISTORIES)
def test_everybody_is_learned_from_where_there_is_room(rows):
    split = split_each_user(interactions_of(rows), LIKED)
    some = of_some_people(split, 1, len(rows), np.random.default_rng(1))
    assert pairs(some.training) == pairs(split.training)


@given(HISTORIES)
def test_a_fifth_of_each_user_is_held_out_and_at_most_one_of_fewer_than_five(rows):
    interactions = interactions_of(rows)
    held_out = np.diff(split_each_user(interactions, LIKED).test.indptr)
    lengths = np.diff(interactions.indptr)
    fifths = lengths // 5
    assert (held_out[lengths >= 5] == fifths[lengths >= 5]).all()
    assert (held_out[lengths < 5] <= 1).all()
    assert (held_out[lengths == 1] == 0).all()


@pytest.mark.parametrize("each", [2, 3, 4])
def test_of_users_with_few_a_fifth_is_held_out_all_in_all(each):
    rows = [(user, movie, 0) for user in range(3000) for movie in range(each)]
    split = split_each_user(interactions_of(rows), LIKED)
    assert len(split.test) / len(rows) == pytest.approx(0.2, rel=0.1)


@given(HISTORIES)
def test_nothing_of_anybodys_future_is_in_the_earlier_part(rows):
    split = split_at_one_time(interactions_of(rows), LIKED)
    latest_known = split.training.times.max(initial=-1)
    assert (split.test.times > latest_known).all()


@given(HISTORIES)
def test_a_fifth_at_most_is_held_out_by_one_cut(rows):
    assert len(split_at_one_time(interactions_of(rows), LIKED).test) <= len(rows) / 5


def test_of_many_who_can_be_judged_some_are_drawn_and_all_of_the_others_is_learned_from(
    interactions, monkeypatch
):
    monkeypatch.setattr(split_module, "JUDGED_USERS", 30)
    split = add_decoys(split_each_user(interactions, Liked(4)), np.random.default_rng(1))
    judged = np.diff(split.test.indptr) > 0
    assert judged.sum() == 30
    assert np.array_equal(split.decoys >= 0, judged)
    whole = np.diff(interactions.indptr)[~judged]
    assert np.array_equal(np.diff(split.training.indptr)[~judged], whole)


def test_of_those_who_cannot_be_judged_none_is_drawn(monkeypatch):
    monkeypatch.setattr(split_module, "JUDGED_USERS", 10)
    once = [(user, 0, 0) for user in range(100)]
    twice = [(user, movie, 0) for user in range(100, 150) for movie in range(4)]
    split = split_each_user(interactions_of(once + twice), LIKED)
    judged = np.flatnonzero(np.diff(split.test.indptr))
    assert len(judged) == 10
    assert judged.min() >= 100


def test_by_one_cut_they_alone_are_judged_too_and_nobody_elses_future_is_learned_from(
    interactions, monkeypatch
):
    mixed = np.random.default_rng(1).permutation(interactions.times)
    interactions = Interactions.assemble(
        interactions.users[interactions.rows()],
        interactions.movies,
        interactions.items,
        interactions.ratings,
        mixed,
    )
    everybody = split_at_one_time(interactions, Liked(4))
    monkeypatch.setattr(split_module, "JUDGED_USERS", 3)
    split = split_at_one_time(interactions, Liked(4))
    assert split.training.hash() == everybody.training.hash()
    assert pairs(split.test) < pairs(everybody.test)
    assert (np.diff(split.test.indptr) > 0).sum() == 3


def decoys(interactions, seed=1):
    return add_decoys(split_each_user(interactions, Liked(4)), np.random.default_rng(seed))


def test_a_movie_that_the_user_never_met_is_planted_in_each_test_part(interactions):
    split = decoys(interactions)
    for row, movie in enumerate(split.decoys):
        met = interactions.items[interactions.indptr[row] : interactions.indptr[row + 1]]
        own = split.test.items[split.test.indptr[row] : split.test.indptr[row + 1]]
        assert movie in own
        assert movie not in met


def test_planting_changes_nothing_but_the_test_part(interactions):
    before, split = split_each_user(interactions, Liked(4)), decoys(interactions)
    assert split.training.hash() == before.training.hash()
    kept = ~np.isnan(split.test.ratings)
    assert split.test.only(kept).hash() == before.test.hash()


def test_who_met_every_movie_gets_none():
    everything = Interactions.assemble(
        np.zeros(3, np.int64),
        ["a", "b", "c"],
        np.arange(3, dtype=np.int32),
        np.full(3, 4, np.float32),
        np.arange(3),
    )
    assert decoys(everything).decoys.tolist() == [-1]


def test_without_knowledge_planted_movies_come_anywhere(interactions):
    split = decoys(interactions)
    places = decoy_places(Noise(), split)
    assert abs(places.mean() - 0.5) < 4 / np.sqrt(12 * len(places))


class Noise:
    item_model = None

    def score(self, rows):
        return np.random.default_rng(2).normal(size=(len(rows), 60)).astype(np.float32)


def test_a_model_that_was_shown_the_test_part_ranks_them_first(interactions):
    split = decoys(interactions)
    shown = split.test.matrix(np.ones(len(split.test), np.float32))
    assert decoy_places(LeakingModel(Noise(), shown), split).max() < 0.2

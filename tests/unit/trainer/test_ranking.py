import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trainer.algorithms.popularity import Popularity, PopularityConfiguration
from trainer.evaluation.top_lists import best_items, rank

SCORES = st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0]), min_size=1, max_size=30)


def by_sorting(scores, popular, length):
    place = {int(item): rank for rank, item in enumerate(popular)}
    listed = [item for item, score in enumerate(scores) if score > -np.inf]
    return sorted(listed, key=lambda item: (-scores[item], place[item]))[:length]


@given(SCORES, st.integers(1, 40), st.randoms(use_true_random=False))
def test_the_best_items_are_those_that_sorting_gives(scores, length, random):
    popular = np.array(random.sample(range(len(scores)), len(scores)), np.int32)
    found = best_items(np.array([scores], np.float32), popular, length)
    expected = by_sorting(scores, popular, length)
    padding = [-1] * (length - len(expected))
    assert found.items[0].tolist() == expected + padding
    assert found.scores[0, : len(expected)].tolist() == [scores[item] for item in expected]


def test_nobody_is_listed_what_they_know(interactions):
    model = Popularity().fit(interactions, PopularityConfiguration())
    everybody = np.arange(len(interactions.users), dtype=np.int32)
    for rows, lists in rank(model, interactions, everybody, 100):
        for row, items in zip(rows, lists.items, strict=True):
            known = interactions.items[interactions.indptr[row] : interactions.indptr[row + 1]]
            assert not set(known.tolist()) & set(items.tolist())


def test_everybody_asked_for_is_ranked_once_and_in_order(interactions):
    model = Popularity().fit(interactions, PopularityConfiguration())
    asked = np.tile(np.array([5, 3], np.int32), 300)
    ranked = np.concatenate([rows for rows, _ in rank(model, interactions, asked, 5)])
    assert np.array_equal(ranked, asked)

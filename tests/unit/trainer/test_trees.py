import numpy as np

from trainer.versions.item_models.trees import Trees

ONE_QUESTION = Trees(
    roots=np.array([0, 3], np.int32),
    features=np.array([1, 0, 0, 0], np.int32),
    thresholds=np.array([0.5, np.inf, np.inf, np.inf], np.float32),
    lefts=np.array([1, 1, 2, 3], np.int32),
    rights=np.array([2, 1, 2, 3], np.int32),
    values=np.array([0, -1.0, 2.0, 0.25]),
)
"""A tree that asks for the second feature, and one that is a leaf."""


def test_a_row_goes_left_up_to_the_threshold_and_right_above():
    rows = np.array([[9, 0.5], [9, 0.6]], np.float32)
    assert ONE_QUESTION.score(rows).tolist() == [-0.75, 2.25]


def test_no_tree_adds_nothing():
    assert Trees.none().score(np.ones((3, 2), np.float32)).tolist() == [0, 0, 0]


def test_many_rows_are_scored_like_each_alone():
    rows = np.random.default_rng(1).random((10_000, 2), np.float32)
    together = ONE_QUESTION.score(rows)
    assert together[[0, 4_096, 9_999]].tolist() == [
        float(ONE_QUESTION.score(rows[[row]])[0]) for row in (0, 4_096, 9_999)
    ]


def test_restored_trees_are_the_same():
    restored = Trees.restore(ONE_QUESTION.arrays())
    rows = np.array([[0, 1]], np.float32)
    assert restored.score(rows) == ONE_QUESTION.score(rows)

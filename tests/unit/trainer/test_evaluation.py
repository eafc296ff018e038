from dataclasses import dataclass
from math import log2, sqrt

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.data.interactions import Interactions, Liked
from trainer.data.split import Split, split_each_user
from trainer.evaluation.metrics import (
    Figure,
    calibration,
    judge_for_movies,
    judge_ranking,
    judge_ratings,
    mean_figure,
)

MOVIES = 30
LIKED = Liked(4)


@dataclass(frozen=True)
class FixedModel:
    """Scores and ratings that were thought up beforehand."""

    scores: np.ndarray

    def score(self, rows):
        return self.scores[rows].astype(np.float32)

    def predict(self, rows, items):
        return self.scores[rows, items].astype(np.float32)


def interactions_of(rows):
    users, codes, ratings = np.array(rows).T
    return Interactions.assemble(
        users.astype(np.int64),
        [f"movie+{code:02}" for code in range(MOVIES)],
        codes.astype(np.int32),
        ratings.astype(np.float32),
        np.arange(len(rows)),
    )


def figures_by_hand(scores, split, row):
    """NDCG and recall of one user, written out."""
    train = set(part(split.training, row)[0])
    test = dict(zip(*part(split.test, row), strict=True))
    relevant = {item for item, rating in test.items() if rating >= 4}
    if not relevant or not train:
        return None
    candidates = [item for item in range(MOVIES) if item not in train]
    ranked = sorted(candidates, key=lambda item: -scores[row][item])[:20]
    gained = sum(1 / log2(rank + 2) for rank, item in enumerate(ranked) if item in relevant)
    possible = min(20, len(relevant))
    ideal = sum(1 / log2(rank + 2) for rank in range(possible))
    return gained / ideal, len(relevant & set(ranked)) / possible


def part(interactions, row):
    span = slice(interactions.indptr[row], interactions.indptr[row + 1])
    return interactions.items[span].tolist(), interactions.ratings[span].tolist()


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, MOVIES - 1), st.integers(1, 5)),
        min_size=1,
        max_size=100,
        unique_by=lambda row: row[:2],
    ),
    st.integers(0, 2**32 - 1),
)
def test_ranking_figures_are_those_worked_out_by_hand(rows, seed):
    split = split_each_user(interactions_of(rows), LIKED)
    users = len(split.training.users)
    scores = np.random.default_rng(seed).permuted(np.tile(np.arange(MOVIES), (users, 1)), axis=1)
    found = judge_ranking(FixedModel(scores), split, LIKED)
    by_hand = [figures_by_hand(scores, split, row) for row in range(users)]
    judged = [figures for figures in by_hand if figures]
    assert found.ndcg.tolist() == pytest.approx([ndcg for ndcg, _ in judged])
    assert found.recall.tolist() == pytest.approx([recall for _, recall in judged])


def test_a_perfect_ranking_has_ndcg_one():
    split = split_each_user(interactions_of([(0, movie, 5) for movie in range(10)]), LIKED)
    scores = np.zeros((1, MOVIES))
    scores[0, split.test.items] = 1
    figures = judge_ranking(FixedModel(scores), split, LIKED)
    assert figures.ndcg.tolist() == pytest.approx([1])
    assert figures.recall.tolist() == [1]


def test_without_anybody_to_judge_by_the_mean_is_nothing():
    split = split_each_user(interactions_of([(0, movie, 1) for movie in range(10)]), LIKED)
    figures = judge_ranking(FixedModel(np.zeros((1, MOVIES))), split, LIKED)
    assert len(figures.ndcg) == 0
    assert figures.mean_ndcg == 0


def test_rating_errors_are_those_of_the_formulas():
    test = interactions_of([(0, 0, 4), (0, 1, 2), (1, 0, 5)])
    predicted = np.full((2, MOVIES), 3)
    error = judge_ratings(FixedModel(predicted), test)
    assert error.rmse == pytest.approx(sqrt((1 + 1 + 4) / 3))
    assert error.mae == pytest.approx(4 / 3)


def test_ratings_are_compared_by_tenths_of_what_was_predicted():
    predicted = np.arange(100.0)[::-1]
    found = list(calibration(predicted, given=predicted / 2))
    assert [group.predicted for group in found] == [4.5 + 10 * tenth for tenth in range(10)]
    assert [group.given.value for group in found] == [group.predicted / 2 for group in found]


def test_fewer_ratings_than_tenths_stand_for_themselves():
    (one,) = calibration(np.array([3.0]), np.array([4.0]))
    assert (one.predicted, one.given) == (3.0, Figure(4.0, 4.0, 4.0))


def test_movies_that_were_only_watched_have_no_rating_error():
    watched = interactions_of([(0, 0, np.nan)])
    assert judge_ratings(FixedModel(np.zeros((1, MOVIES))), watched) is None


def test_a_bootstrap_interval_is_as_wide_as_theory_says():
    random = np.random.default_rng(3)
    values = random.normal(1, 2, size=400)
    figure = mean_figure(values, random)
    half = 1.96 * values.std() / sqrt(400)
    assert figure.value == pytest.approx(values.mean())
    assert figure.low == pytest.approx(values.mean() - half, abs=0.03)
    assert figure.high == pytest.approx(values.mean() + half, abs=0.03)


def test_a_leak_would_show():
    """The judge finds a model out that knows the test part: it ranks too well to be true."""
    random = np.random.default_rng(1)
    rows = {(user, int(movie)) for user in range(40) for movie in random.permutation(MOVIES)[:15]}
    split = split_each_user(interactions_of([(*pair, 5) for pair in sorted(rows)]), LIKED)
    leaking = split.test.matrix(np.ones(len(split.test), np.float32)).toarray()
    honest = random.random((40, MOVIES))
    assert judge_ranking(FixedModel(leaking), split, LIKED).mean_ndcg > 0.99
    assert judge_ranking(FixedModel(honest), split, LIKED).mean_ndcg < 0.6


def test_what_is_known_is_never_ranked_even_if_it_is_scored_best():
    interactions = interactions_of([(0, movie, 5) for movie in range(10)])
    split = Split(
        interactions.only(interactions.items < 8), interactions.only(interactions.items >= 8)
    )
    scores = np.arange(MOVIES, 0, -1)[None]
    assert judge_ranking(FixedModel(scores), split, LIKED).ndcg.tolist() == pytest.approx([1])


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_figures_are_those_of_a_second_implementation(seed):
    random = np.random.default_rng(seed)
    pairs = random.permutation(12 * MOVIES)[:160]
    rows = [(pair // MOVIES, pair % MOVIES, random.integers(1, 6)) for pair in pairs]
    split = split_each_user(interactions_of(rows), LIKED)
    scores = random.permutation(12 * MOVIES).reshape(12, MOVIES) / (12 * MOVIES)
    ours = judge_ranking(FixedModel(scores), split, LIKED)
    theirs = second_opinion(scores, split, ours.rows)
    assert ours.ndcg.tolist() == pytest.approx(theirs["nDCG@20"])
    assert ours.recall.tolist() == pytest.approx(theirs["R@20"])
    assert ours.precision.tolist() == pytest.approx(theirs["AP@20"])


def second_opinion(scores, split, rows):
    """By ir_measures; nobody here has more than 20 relevant movies, so ideals are the same."""
    relevant, run = [], []
    for row in rows:
        known = set(part(split.training, row)[0])
        held_out = zip(*part(split.test, row), strict=True)
        relevant += [
            ir_measures.Qrel(f"{row}", f"{item}", 1) for item, rating in held_out if rating >= 4
        ]
        run += [
            ir_measures.ScoredDoc(f"{row}", f"{item}", scores[row][item])
            for item in range(MOVIES)
            if item not in known
        ]
    measures = [ir_measures.nDCG @ 20, ir_measures.R @ 20, ir_measures.AP @ 20]
    found = {str(measure): {} for measure in measures}
    for metric in ir_measures.iter_calc(measures, relevant, run):
        found[str(metric.measure)][int(metric.query_id)] = metric.value
    return {name: [values[row] for row in rows] for name, values in found.items()}


def test_for_some_movies_nothing_but_these_is_to_be_found():
    rows = [(0, 0, 3), (0, 1, 5), (0, 2, 5), (1, 0, 3), (1, 3, 5)]
    whole = interactions_of(rows)
    split = Split(whole.only(whole.ratings < 4), whole.only(whole.ratings >= 4))
    scores = np.zeros((2, MOVIES))
    scores[:, [1, 2]] = 2, 1
    ranking = judge_ranking(FixedModel(scores), split, LIKED)
    found = judge_for_movies(ranking, split, LIKED, np.arange(MOVIES) == 2)
    assert found.rows.tolist() == [0]
    assert found.ndcg.tolist() == pytest.approx([1 / log2(3)])

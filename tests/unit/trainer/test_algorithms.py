from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import pairwise

import lightgbm
import numpy as np
import pytest
from scipy.sparse import csr_array

from trainer.algorithms import boosted_trees, ease, gfcf, history
from trainer.algorithms.algorithm import RatingModel
from trainer.algorithms.ease import Ease, EaseConfiguration
from trainer.algorithms.held import fold_in
from trainer.algorithms.registry import ALGORITHMS
from trainer.data.interactions import Catalogue, Interactions, Scale
from trainer.data.split import split_each_user
from trainer.errors import UnsuitableDataError
from trainer.evaluation.metrics import judge_ranking, judge_ratings
from trainer.versions.contents import Contents, SeenItems, TopLists
from trainer.versions.item_models.kinds import ITEM_MODELS, name_of
from trainer.versions.manifest import Manifest
from trainer.versions.reader import read_version
from trainer.versions.writer import version_name, write_version

SCALE = Scale(1, 5)
EVERYBODY = np.arange(120, dtype=np.int32)


class AlgorithmContract:
    """What holds for every algorithm; a subclass names it and says how well it ranks here."""

    name: str
    ndcg: tuple[float, float]

    @pytest.fixture
    def algorithm(self):
        return ALGORITHMS[self.name]

    @pytest.fixture
    def configuration(self, algorithm):
        return algorithm.candidates(SCALE)[0]

    @pytest.fixture
    def fitted(self, algorithm, configuration, interactions):
        return algorithm.fit(interactions, configuration)

    def test_it_is_registered_under_its_name(self, algorithm):
        assert algorithm.name == self.name

    def test_its_parameters_make_its_configuration_again(self, algorithm, configuration):
        assert algorithm.configure(**asdict(configuration)) == configuration

    def test_its_candidates_differ(self, algorithm):
        candidates = algorithm.candidates(SCALE)
        assert len(set(candidates)) == len(candidates)

    def test_every_user_gets_a_finite_score_for_every_item(self, fitted, interactions):
        scores = fitted.score(EVERYBODY)
        assert scores.shape == (len(interactions.users), len(interactions.movies))
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()

    def test_scores_do_not_depend_on_who_is_asked_for_beside(self, fitted):
        together = fitted.score(EVERYBODY)[[7, 3]]
        assert np.allclose(fitted.score(np.array([7, 3], np.int32)), together, atol=1e-5)

    def test_the_same_data_gives_the_same_bits(
        self, algorithm, configuration, interactions, fitted
    ):
        again = algorithm.fit(interactions, configuration)
        assert np.array_equal(again.score(EVERYBODY), fitted.score(EVERYBODY))

    def test_fitting_leaves_the_data_as_it_was(self, algorithm, configuration, interactions):
        before = interactions.hash()
        algorithm.fit(interactions, configuration)
        assert interactions.hash() == before

    def test_it_ranks_as_well_as_expected(self, algorithm, configuration, interactions):
        split = split_each_user(interactions, SCALE.liked)
        model = algorithm.fit(split.training, configuration)
        low, high = self.ndcg
        assert low < judge_ranking(model, split, SCALE.liked).mean_ndcg < high

    def test_a_new_user_is_folded_in_without_a_refit(self, fitted, interactions):
        items, ratings = np.array([0, 4, 8], np.int32), np.array([5, 5, 4], np.float32)
        scores = fitted.item_model.fold_in(items, ratings)
        assert scores.shape == (len(interactions.movies),)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()

    def test_people_are_folded_in_together_as_one_by_one(self, fitted):
        indptr = np.array([0, 3, 3, 5])
        items, ratings = np.array([0, 4, 8, 2, 4], np.int32), np.array([5, 5, 4, 3, 1], np.float32)
        one_by_one = [
            fitted.item_model.fold_in(items[start:end], ratings[start:end])
            for start, end in pairwise(indptr)
        ]
        assert np.allclose(fold_in(fitted, indptr, items, ratings), one_by_one, atol=1e-5)

    @pytest.mark.parametrize("number", [0, 1])
    def test_somebody_of_whom_little_is_known_is_scored(self, fitted, number):
        nothing = np.arange(number, dtype=np.int32), np.full(number, np.nan, np.float32)
        assert np.isfinite(fitted.item_model.fold_in(*nothing)).all()

    def test_it_folds_in_alike_after_saving(self, fitted, configuration, interactions, tmp_path):
        version = saved(fitted, self.name, configuration, interactions, tmp_path)
        items, ratings = np.array([1, 2, 9], np.int32), np.array([5, 1, np.nan], np.float32)
        assert np.array_equal(
            version.fold_in(items, ratings), fitted.item_model.fold_in(items, ratings)
        )

    def test_it_says_what_each_movie_contributed_to_each_score(self, fitted):
        own = np.array([0, 4, 8], np.int32), np.array([5, np.nan, 1], np.float32)
        contributions = fitted.item_model.contributions(*own, np.array([3, 9], np.int32))
        assert contributions.shape == (3, 2)
        assert contributions.dtype == np.float32
        assert np.isfinite(contributions).all()
        assert fitted.item_model.exactness

    def test_whichever_movies_it_holds_alike_are_so_both_ways_between_0_and_1(self, fitted):
        similar = fitted.item_model.similar(np.array([2, 7, 11], np.int32))
        if similar is not None:
            assert similar.shape == (3, 3)
            assert np.array_equal(similar, similar.T)
            assert (similar >= 0).all()
            assert (similar <= 1 + 1e-6).all()

    def test_it_saves_the_arrays_it_is_restored_from(self, fitted):
        model = fitted.item_model
        assert tuple(model.arrays()) == ITEM_MODELS[name_of(model)].array_names


def saved(fitted, name, configuration, interactions, directory):
    manifest = Manifest(
        version=version_name(datetime(2025, 1, 31, tzinfo=UTC), name),
        algorithm=name,
        parameters=asdict(configuration),
        created_at="",
        data={},
        code={},
        machine={},
        libraries={},
        figures={},
        gate={},
    )
    nobody = np.zeros((len(interactions.users), 100))
    contents = Contents(
        interactions.movies,
        interactions.users,
        interactions.popular(),
        TopLists(nobody.astype(np.int32), nobody.astype(np.float32)),
        SeenItems(interactions.indptr, interactions.items),
        fitted.item_model,
    )
    write_version(directory, manifest, contents)
    return read_version(directory / manifest.version)


class TestPopularity(AlgorithmContract):
    name = "popularity"
    ndcg = (0.05, 0.5)

    def test_what_was_liked_more_comes_first_where_liking_counts(self, algorithm, interactions):
        raised = np.where(interactions.items == 7, 5, 1).astype(np.float32)
        liking = algorithm.configure(liking=100.0)
        model = algorithm.fit(replace(interactions, ratings=raised), liking)
        assert model.score(np.array([0], np.int32))[0].argmax() == 7

    def test_viewings_count_as_much_as_they_are_told_to(self, algorithm, interactions):
        watched = only_watched(interactions)
        assert algorithm.configure(watched=0.0).scores(watched).max() == 0
        assert np.allclose(algorithm.configure().scores(watched), np.log1p(interactions.counts()))

    def test_it_scores_by_count(self, fitted, interactions):
        scores = fitted.score(np.array([0], np.int32))[0]
        assert scores.argmax() == interactions.counts().argmax()


class FixedSuggestions:
    """Suggests the nth end of every range."""

    def __init__(self, end):
        self.end = end

    def suggest_float(self, _name, *span, log):
        assert log
        return span[self.end]

    suggest_int = suggest_float


class SearchedContract(AlgorithmContract):
    """What holds beyond that for algorithms whose configuration is searched."""

    @pytest.mark.parametrize("end", [0, 1])
    def test_it_can_be_fitted_at_the_ends_of_its_ranges(
        self, algorithm, configuration, interactions, end
    ):
        suggested = algorithm.suggest(FixedSuggestions(end), configuration)
        assert suggested != configuration
        assert np.isfinite(algorithm.fit(interactions, suggested).score(EVERYBODY)).all()


class RatingModelContract(SearchedContract):
    """What holds beyond that for algorithms that predict ratings."""

    def test_it_predicts_ratings_within_the_scale(self, fitted, interactions):
        predicted = fitted.predict(interactions.rows(), interactions.items)
        assert isinstance(fitted, RatingModel)
        assert predicted.min() >= 1
        assert predicted.max() <= 5

    def test_it_predicts_better_than_the_mean(self, fitted, interactions):
        error = judge_ratings(fitted, interactions)
        assert error.rmse < interactions.ratings.std()

    def test_a_folded_in_user_is_predicted_like_one_of_the_same_ratings(self, fitted, interactions):
        items = interactions.items[: interactions.indptr[1]]
        ratings = interactions.ratings[: interactions.indptr[1]]
        known = fitted.score(np.array([0], np.int32))[0]
        correlation = np.corrcoef(fitted.item_model.fold_in(items, ratings), known)[0, 1]
        assert correlation > 0.5

    def test_it_says_that_there_is_no_rating(self, algorithm, configuration, interactions):
        with pytest.raises(UnsuitableDataError, match="there are none"):
            algorithm.fit(only_watched(interactions), configuration)

    def test_another_weight_of_popularity_needs_no_refit(self, algorithm, interactions, fitted):
        other = algorithm.candidates(SCALE)[1]
        reused, anew = fitted.reused(other), algorithm.fit(interactions, other)
        assert np.array_equal(reused.score(EVERYBODY), anew.score(EVERYBODY))

    def test_anything_else_does(self, configuration, fitted):
        assert fitted.reused(replace(configuration, epochs=1)) is None


class TestSvd(RatingModelContract):
    name = "svd"
    ndcg = (0.1, 0.9)


class TestSvdpp(RatingModelContract):
    name = "svdpp"
    ndcg = (0.1, 0.9)


class TestAls(SearchedContract):
    name = "als"
    ndcg = (0.3, 1.0)

    def test_a_folded_in_user_is_scored_like_one_of_the_same_history(self, fitted, interactions):
        _, items, ratings = interactions.histories(np.array([3], np.int32))
        known = fitted.score(np.array([3], np.int32))[0]
        assert np.corrcoef(fitted.item_model.fold_in(items, ratings), known)[0, 1] > 0.95

    def test_viewings_alone_are_enough(self, algorithm, configuration, interactions):
        model = algorithm.fit(only_watched(interactions), configuration)
        assert model.score(EVERYBODY).std() > 0

    def test_by_another_configuration_what_was_met_is_enough(self, algorithm, interactions):
        disliked = replace(interactions, ratings=np.ones_like(interactions.ratings))
        model = algorithm.fit(disliked, algorithm.candidates(SCALE)[1])
        assert model.score(EVERYBODY).std() > 0

    def test_it_says_that_nothing_was_liked(self, algorithm, configuration, interactions):
        disliked = replace(interactions, ratings=np.ones_like(interactions.ratings))
        with pytest.raises(UnsuitableDataError, match="nothing was"):
            algorithm.fit(disliked, configuration)


class TestGfcf(SearchedContract):
    name = "gfcf"
    ndcg = (0.3, 1.0)

    def test_a_known_user_is_scored_as_if_folded_in(self, fitted, interactions):
        _, items, ratings = interactions.histories(np.array([3], np.int32))
        known = fitted.score(np.array([3], np.int32))[0]
        assert np.allclose(fitted.item_model.fold_in(items, ratings), known, atol=1e-5)

    def test_it_filters_as_by_definition(self, fitted, interactions):
        likes = (interactions.matrix(interactions.ratings) >= 2.5).toarray().astype(float)
        users, movies = (np.maximum(1, likes.sum(axis=axis)) ** -0.5 for axis in (1, 0))
        normal = users[:, None] * likes * movies
        vectors = np.linalg.svd(normal, full_matrices=False)[2][:48]
        smooth = (likes * movies) @ vectors.T @ vectors / movies
        expected = likes @ (normal.T @ normal) + 0.3 * smooth
        assert np.allclose(fitted.score(EVERYBODY), expected, atol=1e-4)

    def test_another_weight_of_the_low_pass_needs_no_refit(self, algorithm, interactions, fitted):
        other = algorithm.candidates(SCALE)[1]
        reused, anew = fitted.reused(other), algorithm.fit(interactions, other)
        assert np.array_equal(reused.score(EVERYBODY), anew.score(EVERYBODY))

    def test_who_liked_one_movie_says_nothing_of_what_goes_together(
        self, algorithm, configuration, interactions
    ):
        once = interactions.only(
            np.arange(len(interactions))
            == interactions.indptr[:-1].repeat(np.diff(interactions.indptr))
        )
        with pytest.raises(UnsuitableDataError, match="nobody did"):
            algorithm.fit(once, configuration)

    def test_too_many_likes_are_refused(self, algorithm, configuration, interactions, monkeypatch):
        monkeypatch.setattr(gfcf, "MOST_PAIRS", 10)
        with pytest.raises(UnsuitableDataError, match="at most 10 pairs of likes"):
            algorithm.fit(interactions, configuration)


class TestEase(SearchedContract):
    name = "ease"
    ndcg = (0.5, 1.0)

    def test_a_known_user_is_scored_as_if_folded_in(self, fitted, interactions):
        items = interactions.items[: interactions.indptr[1]]
        ratings = interactions.ratings[: interactions.indptr[1]]
        known = fitted.score(np.array([0], np.int32))[0]
        assert np.allclose(fitted.item_model.fold_in(items, ratings), known, atol=1e-5)

    def test_its_weights_are_those_of_the_definition(self, interactions):
        weights = weights_of(interactions, kept=1_000)
        assert np.allclose(weights, weights_by_definition(interactions), atol=1e-5)

    def test_who_liked_one_movie_and_movies_that_nobody_met_change_nothing(self, interactions):
        alone = Interactions.assemble(
            np.append(interactions.users[interactions.rows()], 10_000),
            [*interactions.movies, "unmet+1999"],
            np.append(interactions.items, 3).astype(np.int32),
            np.append(interactions.ratings, 5).astype(np.float32),
            np.append(interactions.times, 0),
        )
        weights = weights_of(alone, kept=1_000)
        assert np.array_equal(weights[:-1, :-1], weights_of(interactions, kept=1_000))
        assert not weights[-1].any()
        assert not weights[:, -1].any()

    def test_with_more_movies_than_users_its_weights_are_the_same(self, interactions):
        few = interactions.only(interactions.rows() < 30)
        few = Interactions(
            few.users[:30], few.movies, few.indptr[:31], few.items, few.ratings, few.times
        )
        assert len(few.users) < len(few.movies)
        assert np.allclose(weights_of(few, kept=1_000), weights_by_definition(few), atol=1e-5)

    def test_it_keeps_about_as_many_weights_as_it_is_told(self, interactions):
        kept = np.count_nonzero(weights_of(interactions, kept=10))
        assert kept == pytest.approx(10 * len(interactions.movies), rel=0.1)

    def test_viewings_alone_are_enough(self, algorithm, configuration, interactions):
        model = algorithm.fit(only_watched(interactions), configuration)
        assert model.score(EVERYBODY).std() > 0

    def test_of_too_many_users_and_movies_the_most_liked_have_weights_among_themselves(
        self, interactions, monkeypatch
    ):
        liked = np.bincount(interactions.items[interactions.ratings > SCALE.midpoint])
        most_liked = np.sort(np.argsort(-liked, kind="stable")[:20])
        monkeypatch.setattr(ease, "LARGEST_INVERSE", 20)
        weights = weights_of(interactions, kept=1_000)

        among = interactions.only(np.isin(interactions.items, most_liked))
        expected = weights_by_definition(among)[np.ix_(most_liked, most_liked)]
        assert np.allclose(weights[np.ix_(most_liked, most_liked)], expected, atol=1e-5)
        weights[np.ix_(most_liked, most_liked)] = 0
        assert not weights.any()


class HistoryContract(SearchedContract):
    """What holds beyond that for algorithms that read a history in its order."""

    def test_a_known_user_is_scored_as_if_folded_in(self, fitted, interactions):
        _, items, ratings = interactions.histories(np.array([3], np.int32))
        known = fitted.score(np.array([3], np.int32))[0]
        assert np.allclose(fitted.item_model.fold_in(items, ratings), known, atol=1e-5)

    def test_the_order_of_a_history_matters(self, fitted):
        items, ratings = np.array([0, 1, 2, 3, 4], np.int32), np.full(5, 5, np.float32)
        forwards = fitted.item_model.fold_in(items, ratings)
        assert not np.allclose(forwards, fitted.item_model.fold_in(items[::-1], ratings))

    def test_an_empty_history_puts_no_movie_before_another(self, fitted):
        scores = fitted.item_model.fold_in(np.empty(0, np.int32), np.empty(0, np.float32))
        assert np.ptp(scores) < 1e-6

    def test_another_blend_needs_no_refit(self, algorithm, configuration, interactions, fitted):
        other = replace(configuration, years_weight=0.1)
        reused, anew = fitted.reused(other), algorithm.fit(interactions, other)
        assert np.array_equal(reused.score(EVERYBODY), anew.score(EVERYBODY))

    def test_anything_else_does(self, configuration, fitted):
        assert fitted.reused(replace(configuration, regularisation=1)) is None

    def test_viewings_alone_are_enough(self, algorithm, configuration, interactions):
        model = algorithm.fit(only_watched(interactions), configuration)
        assert model.score(EVERYBODY).std() > 0

    @pytest.mark.parametrize("weight", ["years_weight", "genres_weight"])
    def test_movies_like_those_of_the_history_are_raised(
        self, algorithm, configuration, interactions, weight
    ):
        odd = np.arange(60) % 2
        years, genres = np.where(odd, 1950, 2000).astype(np.int16), odd[:, None] == np.arange(2)
        data = replace(interactions, described=Catalogue(years, genres))
        quiet = replace(configuration, transitions_weight=0, years_weight=0, genres_weight=0)
        history = np.array([1, 3], np.int32), np.full(2, 5, np.float32)
        before = algorithm.fit(data, quiet).item_model.fold_in(*history)
        after = algorithm.fit(data, replace(quiet, **{weight: 1})).item_model.fold_in(*history)
        assert (after - before)[5] > (after - before)[6]

    def test_a_movie_of_which_nothing_is_known_is_scored_too(
        self, algorithm, configuration, interactions
    ):
        nothing = np.arange(60) > 5
        described = Catalogue(np.where(nothing, 0, 1999).astype(np.int16), ~nothing[:, None])
        model = algorithm.fit(replace(interactions, described=described), configuration)
        assert np.isfinite(model.score(EVERYBODY)).all()


class TestRecencyEase(HistoryContract):
    name = "recency_ease"
    ndcg = (0.5, 1.0)


class TestRecencyTransitions(HistoryContract):
    name = "recency_transitions"
    ndcg = (0.5, 1.0)

    def test_what_usually_comes_next_is_ranked_first(self, algorithm):
        one_after_another = Interactions.assemble(
            np.repeat(np.arange(40), 10),
            [f"part+{part:02}" for part in range(10)],
            np.tile(np.arange(10), 40).astype(np.int32),
            np.full(400, 5, np.float32),
            np.arange(400),
        )
        configuration = replace(algorithm.candidates(SCALE)[3], transition_steps=1)
        model = algorithm.fit(one_after_another, configuration).item_model
        scores = model.fold_in(np.array([2, 3], np.int32), np.full(2, 5, np.float32))
        scores[[2, 3]] = -np.inf
        assert scores.argmax() == 4

    def test_of_many_interactions_those_of_some_users_are_counted(
        self, algorithm, configuration, interactions, monkeypatch
    ):
        of_all = algorithm.fit(interactions, configuration).item_model.transitions
        monkeypatch.setattr(history, "COUNTED", 200)
        of_some = algorithm.fit(interactions, configuration).item_model.transitions

        assert 0 < of_some.nnz < of_all.nnz
        assert set(zip(*of_some.nonzero(), strict=True)) <= set(zip(*of_all.nonzero(), strict=True))


class TestBoostedTrees(SearchedContract):
    name = "boosted_trees"
    ndcg = (0.5, 1.0)

    def test_somebody_who_asks_when_training_ended_is_scored_as_if_folded_in(
        self, fitted, interactions
    ):
        last = np.argmax(interactions.times[interactions.indptr[1:] - 1])
        _, items, ratings = interactions.histories(np.array([last], np.int32))
        known = fitted.score(np.array([last], np.int32))[0]
        assert np.array_equal(fitted.item_model.fold_in(items, ratings), known)

    def test_its_trees_raise_what_the_first_stage_misjudges(self, algorithm):
        split = split_each_user(people_who_like_new_movies(), SCALE.liked)
        usual = replace(algorithm.candidates(SCALE)[0], transitions_weight=0)
        without = replace(usual, trees=1, learning_rate=1e-9)
        judged = [
            judge_ranking(algorithm.fit(split.training, each), split, SCALE.liked).mean_ndcg
            for each in (usual, without)
        ]
        assert judged[0] > judged[1] + 0.01

    def test_without_transitions_it_learns_of_no_order(self, algorithm, interactions):
        configuration = replace(algorithm.candidates(SCALE)[0], transitions_weight=0)
        assert algorithm.fit(interactions, configuration).item_model.first.transitions.nnz == 0

    def test_it_learns_from_some_users_where_there_are_many(
        self, algorithm, configuration, interactions, monkeypatch
    ):
        monkeypatch.setattr(boosted_trees, "MOST_USERS", 50)
        model = algorithm.fit(interactions, configuration)
        assert np.isfinite(model.score(EVERYBODY)).all()

    def test_it_says_that_there_are_too_many_users(
        self, algorithm, configuration, interactions, monkeypatch
    ):
        monkeypatch.setattr(boosted_trees, "LARGEST_CROWD", 100)
        with pytest.raises(UnsuitableDataError, match="at most 100 users, and these are 120"):
            algorithm.fit(interactions, configuration)

    def test_it_says_that_nothing_was_liked(self, algorithm, configuration, interactions):
        with pytest.raises(UnsuitableDataError, match="nothing to learn"):
            algorithm.fit(only_watched(interactions), configuration)

    def test_its_trees_say_what_lightgbm_says(self):
        random = np.random.default_rng(3)
        values = np.nextafter(np.float32(1), np.full(4, [0, 2, 0, 2], np.float32)).astype(
            np.float32
        )
        rows = np.hstack([random.normal(size=(5_000, 3)), random.choice(values, (5_000, 1))])
        rows = rows.astype(np.float32)
        wanted = ((rows[:, 0] > 0) ^ (rows[:, 3] > 1)).astype(np.float32)
        booster = lightgbm.train(
            {"objective": "binary", "verbosity": -1}, lightgbm.Dataset(rows, wanted), 20
        )
        trees = boosted_trees.as_arrays(booster.dump_model()["tree_info"])
        assert np.allclose(trees.score(rows), booster.predict(rows, raw_score=True), atol=1e-12)


def people_who_like_new_movies(users=150, movies=120):
    """Everybody meets movies in an order of their own, and likes those first met lately."""
    random = np.random.default_rng(5)
    rows = []
    for user in range(users):
        reach = 20 + user * (movies - 20) // users
        old = random.permutation(reach - 10)[:8]
        new = reach - 10 + random.permutation(10)[:6]
        met = [*old[:4], *new[:2], *old[4:], *new[2:]]
        rows.extend((user, movie, 5 if movie in new else 3) for movie in met)
    user_ids, codes, ratings = np.array(rows).T
    return Interactions.assemble(
        user_ids,
        [f"{movie:03}" for movie in range(movies)],
        codes.astype(np.int32),
        ratings.astype(np.float32),
        np.arange(len(rows)),
    )


def only_watched(interactions):
    return Interactions(
        interactions.users,
        interactions.movies,
        interactions.indptr,
        interactions.items,
        np.full_like(interactions.ratings, np.nan),
        interactions.times,
    )


def weights_of(interactions, kept):
    configuration = EaseConfiguration(30, 2.5, 1, kept_weights=kept)
    return Ease().fit(interactions, configuration).item_model.weights.toarray()


def weights_by_definition(interactions):
    above = np.maximum(interactions.ratings - 2.5, 0).astype(np.float64)
    shape = (len(interactions.users), len(interactions.movies))
    preferences = csr_array((above, interactions.items, interactions.indptr), shape).toarray()
    inverse = np.linalg.inv(preferences.T @ preferences + 30 * np.eye(shape[1]))
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights

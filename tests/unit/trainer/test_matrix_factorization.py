import numpy as np
import pytest
import surprise
from surprise import Dataset, Reader
from surprise.model_selection import GridSearchCV, cross_validate

from trainer.algorithms.matrix_factorization import SVD, SVDpp

PAIRS = ((SVD, surprise.SVD), (SVDpp, surprise.SVDpp))
LEARNED = {SVD: ("bu", "bi", "pu", "qi"), SVDpp: ("bu", "bi", "pu", "qi", "yj")}


def triples(users=30, movies=40, number=600, seed=3, repeated=0):
    random = np.random.default_rng(seed)
    pairs = [divmod(int(pair), movies) for pair in random.permutation(users * movies)[:number]]
    pairs += pairs[:repeated]
    return [(str(user), str(movie), float(random.integers(1, 11)) / 2) for user, movie in pairs]


def dataset(rows):
    data = Dataset(Reader(rating_scale=(0.5, 5)))
    data.raw_ratings = [(*row, None) for row in rows]
    return data


def trainset(rows):
    return dataset(rows).construct_trainset([(*row, None) for row in rows])


def furthest(ours, theirs):
    return max(
        np.abs(getattr(ours, name) - getattr(theirs, name)).max() for name in LEARNED[type(ours)]
    )


OPTIONS = [
    {},
    {"n_factors": 1, "n_epochs": 3},
    {"n_factors": 33, "init_mean": 0.2, "init_std_dev": 0.3},
    {"lr_all": 0.02, "reg_all": 0.1},
    {"lr_bu": 0.01, "lr_bi": 0.002, "lr_pu": 0.003, "lr_qi": 0.02},
    {"reg_bu": 0.5, "reg_bi": 0, "reg_pu": 0.3, "reg_qi": 0.01},
    {"n_epochs": 0},
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize("options", OPTIONS)
def test_factors_and_biases_are_those_of_surprise(ours, theirs, options):
    data = trainset(triples())
    fitted = ours(random_state=7, **options).fit(data)
    assert furthest(fitted, theirs(random_state=7, **options).fit(data)) < 1e-11


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_with_a_movie_rated_twice_by_one_user_too(ours, theirs):
    data = trainset(triples(repeated=40))
    fitted = ours(random_state=7).fit(data)
    assert furthest(fitted, theirs(random_state=7).fit(data)) < 1e-11


def test_without_biases_too():
    data = trainset(triples())
    ours = SVD(biased=False, random_state=1).fit(data)
    assert furthest(ours, surprise.SVD(biased=False, random_state=1).fit(data)) < 1e-11


def test_implicit_factors_have_their_own_rate_and_regularisation():
    data, options = trainset(triples()), {"lr_yj": 0.05, "reg_yj": 0.4, "random_state": 2}
    ours = SVDpp(**options).fit(data)
    theirs = surprise.SVDpp(cache_ratings=True, **options).fit(data)
    assert furthest(ours, theirs) < 1e-11


def test_a_shared_random_state_is_drawn_from_alike():
    data = trainset(triples())
    ours = SVD(random_state=np.random.RandomState(5)).fit(data)
    assert furthest(ours, surprise.SVD(random_state=np.random.RandomState(5)).fit(data)) < 1e-11


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize(("user", "movie"), [("1", "2"), ("nobody", "2"), ("1", "nothing")])
def test_predictions_are_those_of_surprise(ours, theirs, user, movie):
    data = trainset(triples())
    predicted = ours(random_state=7).fit(data).predict(user, movie)
    assert predicted.est == pytest.approx(theirs(random_state=7).fit(data).predict(user, movie).est)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_cross_validation_gives_the_same_errors(ours, theirs):
    data = dataset(triples())
    folds = surprise.model_selection.KFold(n_splits=3, random_state=0)
    errors = [
        cross_validate(algorithm(random_state=1), data, ["RMSE"], cv=folds)["test_rmse"]
        for algorithm in (ours, theirs)
    ]
    assert errors[0].tolist() == pytest.approx(errors[1].tolist())


def test_a_grid_search_runs_over_it():
    search = GridSearchCV(SVDpp, {"n_epochs": [1, 20], "random_state": [0]}, ["rmse"], cv=3)
    search.fit(dataset(triples()))
    assert search.best_params["rmse"]["n_epochs"] in {1, 20}


@pytest.mark.parametrize("ours", [SVD, SVDpp])
def test_it_tells_its_epochs_when_asked(ours, capsys):
    ours(n_epochs=2, verbose=True).fit(trainset(triples()))
    assert "rocessing epoch 1" in capsys.readouterr().out

import numpy as np

from trainer.evaluation.plots import plots

FIGURES = {
    "algorithms": {
        "ease": {"ndcg20": {"value": 0.14, "low": 0.13, "high": 0.16}},
        "popularity": {"ndcg20": {"value": 0.08, "low": 0.07, "high": 0.09}},
        "svd": {"rmse": {"value": 0.9}},
    }
}


def test_a_version_gets_pictures_of_its_figures_and_its_data(interactions):
    pictures = plots(FIGURES, interactions)
    assert set(pictures) == {"ranking.png", "data.png"}
    assert all(picture.startswith(b"\x89PNG") for picture in pictures.values())


def test_the_same_again_gives_the_same_bytes(interactions):
    assert plots(FIGURES, interactions) == plots(FIGURES, interactions)


def test_without_ratings_or_figures_there_are_pictures_too(interactions):
    unrated = interactions.only(np.arange(len(interactions)) < 1)
    assert set(plots({}, unrated)) == {"ranking.png", "data.png"}

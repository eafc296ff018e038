import pytest

from trainer.data.interactions import Scale
from trainer.selection.choice import Terms, select
from trainer.selection.figures import figures, later_figures
from trainer.selection.gate import Rules
from trainer.selection.trials import BASELINE

SCALE = Scale(1, 5)


@pytest.fixture(scope="module")
def selection(interactions):
    terms = Terms(SCALE, Rules(minimum_users=30, tolerance=0.1), algorithms=["ease", "svd"])
    return select(interactions, terms, lambda _: None)


def test_figures_are_given_for_every_algorithm(selection):
    found = figures(selection, SCALE.liked)
    for name in ("popularity", "svd", "ease"):
        ndcg = found["algorithms"][name]["ndcg20"]
        assert ndcg["low"] <= ndcg["value"]
    assert found["algorithms"]["svd"]["rmse"]["value"] > 0
    assert found["live"] == {}


def test_later_figures_stand_beside_popularity(interactions):
    found = later_figures(interactions, BASELINE, SCALE)
    assert found["chosen"] == found["popularity"]


def test_heavy_and_light_users_are_told_apart(selection):
    found = figures(selection, SCALE.liked)["segments"]
    assert found["heavy_users"] != found["light_users"]


def test_places_say_how_many_liked_what_stood_there(selection):
    found = figures(selection, SCALE.liked)["places"]
    assert list(found) == [str(place) for place in range(1, 21)]
    ranking = selection.judgements[selection.chosen.algorithm].ranking
    test = selection.split.test
    liked = {
        (row, item)
        for row, item, rating in zip(test.rows(), test.items, test.ratings, strict=True)
        if rating >= SCALE.liked.rating
    }
    for place in (1, 20):
        shown = zip(ranking.rows, ranking.lists[:, place - 1], strict=True)
        share = sum(each in liked for each in shown) / len(ranking.rows)
        assert found[str(place)]["value"] == pytest.approx(share)


def test_places_say_how_many_met_what_stood_there(selection):
    found = figures(selection, SCALE.liked)["places"]
    assert all(place["met"] >= place["value"] for place in found.values())
    assert any(place["met"] > place["value"] for place in found.values())


def test_what_was_predicted_stands_beside_what_was_given_for_who_predicts(selection):
    found = figures(selection, SCALE.liked)["calibration"]
    assert list(found) == ["svd"]
    predicted = [group["predicted"] for group in found["svd"].values()]
    assert predicted == sorted(predicted)
    assert all(group["low"] <= group["value"] <= group["high"] for group in found["svd"].values())


def test_popular_movies_and_the_long_tail_are_told_apart(selection):
    found = figures(selection, SCALE.liked)["segments"]
    assert found["popular_movies"] != found["long_tail_movies"]

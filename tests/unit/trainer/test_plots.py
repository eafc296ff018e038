from xml.etree import ElementTree as ET

import numpy as np
import pytest

from monitoring.page.rendering import PICTURES
from trainer.evaluation.plots import NO_LEARNING_CURVE, TOO_FEW_JUDGED, plots

FIGURES = {
    "algorithms": {
        "ease": {"ndcg20": {"value": 0.14, "low": 0.13, "high": 0.16}},
        "popularity": {"ndcg20": {"value": 0.08, "low": 0.07, "high": 0.09}},
        "svd": {"rmse": {"value": 0.9}},
    },
    "segments": {"heavy_users": {"value": 0.2, "low": 0.1, "high": 0.3}},
    "newcomers": {
        "0": {"people_judged": {"value": 50}, "gain": {"value": 0.0, "low": 0.0, "high": 0.0}},
        "1": {"people_judged": {"value": 50}, "gain": {"value": 0.01, "low": 0.0, "high": 0.02}},
        "2": {"people_judged": {"value": 1}, "gain": {"value": 0.01, "low": 0.01, "high": 0.01}},
    },
    "learning": {
        "5000": {"value": 0.1, "low": 0.09, "high": 0.11},
        "80000": {"value": 0.14, "low": 0.13, "high": 0.15},
    },
    "places": {"1": {"value": 0.3, "met": 0.4}, "2": {"value": 0.2, "met": 0.3}},
    "calibration": {
        "svd": {
            "1": {"predicted": 2.5, "value": 2.0, "low": 1.9, "high": 2.1},
            "2": {"predicted": 4.0, "value": 4.5, "low": 4.4, "high": 4.6},
        }
    },
}
VERSIONS = {"20260130-030000-als": {"value": 0.12, "low": 0.11, "high": 0.13}}
NAMES = {f"{name}.svg" for name in PICTURES}


def texts(picture: bytes) -> set[str]:
    drawn = ET.fromstring(picture)  # noqa: S314 -- our own, made just now
    return {text.strip() for text in drawn.itertext() if text.strip()}


def test_a_version_gets_pictures_of_its_figures_and_its_data(interactions):
    assert set(plots(FIGURES, interactions, VERSIONS)) == NAMES


def test_pictures_name_what_they_compare(interactions):
    pictures = plots(FIGURES, interactions, VERSIONS)
    assert {"ease", "popularity"} <= texts(pictures["ranking.svg"])
    assert "heavy users" in texts(pictures["segments.svg"])
    assert {"20260130-030000-", "als"} <= texts(pictures["versions.svg"])


def test_a_learning_curve_names_how_much_was_learned_from(interactions):
    drawn = texts(plots(FIGURES, interactions, {})["learning.svg"])
    assert {"5,000", "80,000", "interactions learned from"} <= drawn


def test_a_curve_that_there_is_not_is_said_to_be_none(interactions):
    drawn = ET.fromstring(plots({}, interactions, {})["learning.svg"])  # noqa: S314 -- our own
    assert NO_LEARNING_CURVE in " ".join(" ".join(drawn.itertext()).split())


def test_predicted_ratings_are_drawn_against_given_ones(interactions):
    drawn = texts(plots(FIGURES, interactions, {})["calibration.svg"])
    assert {"svd", "rating predicted, by tenths"} <= drawn


def test_where_no_ratings_are_predicted_places_show_what_a_list_is_worth(interactions):
    ranked = {"places": FIGURES["places"]}
    drawn = plots(ranked, interactions, {})
    assert "watched or rated the movie there" in texts(drawn["calibration.svg"])
    assert drawn["calibration.svg"] == drawn["places.svg"]


def test_what_one_person_judged_is_not_drawn(interactions):
    assert "2" not in texts(plots(FIGURES, interactions, {})["newcomers.svg"])


@pytest.mark.parametrize("picture", ["ranking", "segments", "newcomers", "places", "versions"])
def test_a_picture_of_nothing_says_so(interactions, picture):
    assert TOO_FEW_JUDGED in texts(plots({}, interactions, {})[f"{picture}.svg"])
    assert TOO_FEW_JUDGED not in texts(plots(FIGURES, interactions, VERSIONS)[f"{picture}.svg"])


def test_names_of_versions_are_not_turned(interactions):
    drawn = plots(FIGURES, interactions, VERSIONS)["versions.svg"].decode()
    assert "rotate(-30" not in drawn


def test_the_same_again_gives_the_same_bytes(interactions):
    assert plots(FIGURES, interactions, VERSIONS) == plots(FIGURES, interactions, VERSIONS)


def test_without_ratings_or_figures_there_are_pictures_too(interactions):
    unrated = interactions.only(np.arange(len(interactions)) < 1)
    assert set(plots({}, unrated, {})) == NAMES

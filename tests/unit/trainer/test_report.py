from dataclasses import replace

from trainer.version_report import report
from trainer.versions.manifest import Manifest

MANIFEST = Manifest(
    version="20250131-030000-ease",
    algorithm="ease",
    parameters={"regularisation": 300},
    created_at="2025-01-31T03:00:00+00:00",
    data={
        "interactions": 80_669,
        "users": 610,
        "movies": 8_983,
        "first_time": "2024-11-01T00:00:00+00:00",
        "last_time": "2025-01-31T00:00:00+00:00",
    },
    code={"git_commit": "abc"},
    machine={},
    libraries={},
    figures={
        "algorithms": {
            "ease": {
                "validation_ndcg20": {"value": 0.155},
                "ndcg20": {"value": 0.1448, "low": 0.13, "high": 0.16},
            },
            "svd": {
                "ndcg20": {"value": 0.087, "low": 0.075, "high": 0.1},
                "rmse": {"value": 0.89},
            },
        },
        "gains": {"over_popularity": {"value": 0.065, "low": 0.05, "high": 0.08}},
    },
    gate={"verdict": "refused", "reason": "the moon is full"},
    sources={"0": ["popular"], "2": ["model", "fold_in", "popular"]},
)


def test_the_report_of_a_version():
    assert report(MANIFEST) == (
        "version    20250131-030000-ease\n"
        "data       80,669 interactions, 610 users, 8,983 movies,"
        " 2024-11-01T00:00:00+00:00 to 2025-01-31T00:00:00+00:00\n"
        "parameters regularisation 300\n"
        "code       abc\n"
        "\n"
        "algorithm  validation_ndcg20  ndcg20                     rmse\n"
        "ease       0.1550             0.1448 (0.1300 to 0.1600)  -\n"
        "svd        -                  0.0870 (0.0750 to 0.1000)  0.8900\n"
        "\n"
        "gain       over popularity: 0.0650 (0.0500 to 0.0800) NDCG@20\n"
        "asked      from 0 events on: popular\n"
        "asked      from 2 events on: model, fold in, popular\n"
        "           what gains over popular beyond noise, corrected for the numbers looked at\n"
        "gate       REFUSED: the moon is full"
    )


def test_a_report_says_whose_lists_were_computed_and_what_others_get():
    lists = {"people": {"value": 400}, "active_days": {"value": 90}}
    said = report(replace(MANIFEST, figures={**MANIFEST.figures, "lists": lists}))
    assert (
        "lists      of 400 of 610 people: active in the 90 days before the newest event, and the"
        " model is asked for them; others are scored when they come\n"
    ) in said


def test_the_report_of_a_version_whose_image_names_no_commit_says_so_and_why():
    said = report(replace(MANIFEST, code={"git_commit": "unknown"}))
    assert "code       unknown: its image was built without `make`, or of a folder" in said


def test_the_report_tells_of_data_that_is_not_as_usual():
    described = {
        "ratings": 80_000,
        "viewings_unrated": 669,
        "density": 0.0147,
        "per_user": {"least": 16, "median": 56, "most": 2158},
        "users_unseen": 0.05,
        "movies_unseen": 0.01,
        "drift": 0.3,
        "alarms": ["half is gone"],
    }
    lines = report(replace(MANIFEST, data={**MANIFEST.data, "report": described})).split("\n")
    assert "16 to 2,158 a user, half have 56 or more" in lines[3]
    assert "5.0% of the users and 1.0% of the movies new, drift 0.300" in lines[4]
    assert lines[5] == "ALARM      half is gone"


def test_the_report_tells_how_it_does_for_whom():
    segments = {"new_users": {"value": 0.1, "low": 0.05, "high": 0.15}}
    figures = {**MANIFEST.figures, "segments": segments}
    lines = report(replace(MANIFEST, figures=figures)).split("\n")
    assert "for        new users: 0.1000 (0.0500 to 0.1500) NDCG@20" in lines


def test_the_report_tells_how_new_people_are_served():
    after_two = {
        "people_judged": {"value": 300},
        "fold_in": {"value": 0.12},
        "fold_in_gain": {"value": 0.02, "low": 0.01, "high": 0.03},
        "popular": {"value": 0.1},
        "popular_gain": {"value": 0.01},
        "gain": {"value": 0.02, "low": 0.01, "high": 0.03},
    }
    figures = {**MANIFEST.figures, "newcomers": {"2": after_two}}
    lines = report(replace(MANIFEST, figures=figures)).split("\n")
    assert (
        "new people after 2: 300 judged; popular 0.1000, over counts 0.0100;"
        " over it fold in 0.0200 (0.0100 to 0.0300);"
        " what is asked 0.0200 (0.0100 to 0.0300)" in lines
    )


def test_the_report_tells_who_judged_and_what_was_better_than_what():
    choice = {
        "judged_users": {"value": 654},
        "over_als": {"value": 0.02, "low": 0.01, "high": 0.03},
        "over_gfcf": {"value": 0.01, "low": -0.01, "high": 0.03},
    }
    figures = {**MANIFEST.figures, "choice": choice, "judged_users": {"value": 397}}
    lines = report(replace(MANIFEST, figures=figures)).split("\n")
    assert "judged     by 654 people on validation and 397 on test" in lines
    assert "better     als: 0.0200 (0.0100 to 0.0300) NDCG@20 over it" in lines
    assert "unsure     gfcf: 0.0100 (-0.0100 to 0.0300) NDCG@20 over it" in lines


def test_the_report_tells_which_sources_are_asked_for_nobody_and_why():
    before_anything = {
        "people_judged": {"value": 300},
        "popular": {"value": 0.1},
        "lately": {"value": 0.09},
        "lately_gain": {"value": -0.01, "low": -0.02, "high": 0.0},
    }
    after_ten = {
        "people_judged": {"value": 60},
        "popular": {"value": 0.1},
        "model": {"value": 0.2},
        "model_gain": {"value": 0.1, "low": 0.0, "high": 0.2},
    }
    figures = {**MANIFEST.figures, "newcomers": {"0": before_anything, "10": after_ten}}
    asked = {"0": ["popular"], "2": ["fold_in", "popular"]}
    lines = report(replace(MANIFEST, figures=figures, sources=asked)).split("\n")
    assert "left out   lately: no better than what is asked" in lines
    assert "left out   people: could not be judged" in lines
    assert "left out   model: judged by fewer than 100 people" in lines
    assert not any(line.startswith("left out   fold in") for line in lines)

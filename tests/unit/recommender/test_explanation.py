"""Why an answer was what it was, as far as the model's own files tell."""

from dataclasses import replace
from datetime import UTC, datetime
from math import nan
from uuid import UUID

import pytest

from recommender.answers.ranking import answer
from recommender.errors import NoReceiptError
from recommender.explanations.explanation import (
    Cause,
    LeftOut,
    explain_by_model,
    parts_of,
    put_together,
    told_time,
)
from recommender.explanations.rendering import told
from tests.unit.recommender.versions import MOVIES, NAME, publish
from trainer.versions.item_models.popularity import PopularityModel

USER = 7


def receipt_of(model, recent, user=USER):
    movies, _scores, reason = answer(user, model, recent)
    return {
        "receipt_id": UUID("01890000-0000-7000-8000-000000000000"),
        "time": datetime(2026, 1, 1, tzinfo=UTC),
        "user_id": user,
        "movie_ids": movies,
        "model_version": NAME,
        "slot": "blue",
        "bucket": 3,
        "arm": "control",
        "reason": reason,
        "latency_ms": 0.2,
        "interleaved_with": None,
        "origins": None,
    }


@pytest.fixture
def model(tmp_path):
    return publish(
        tmp_path,
        top={USER: [50, 51]},
        seen={USER: [1, 2]},
        rated=4.5,
        likes={1: [50, 51], 2: [51], 3: [50], 9: [1, 50]},
    )


def test_a_score_is_the_exact_sum_of_what_own_movies_contribute(model):
    recent = {MOVIES[3]: 5.0}
    explained = explain_by_model(receipt_of(model, recent), None, model, recent)
    first = explained.recommended[0]

    assert first.movie_id == MOVIES[50]
    assert first.causes == [Cause(MOVIES[1], 4.5, 4.0), Cause(MOVIES[3], 5.0, 2.5)]
    assert first.score == sum(cause.contribution for cause in first.causes) + first.others


def learned(model, item_model):
    """The same version with another kind of model."""
    return replace(model, contents=replace(model.contents, model=item_model))


def test_of_popularity_no_movie_led_to_another(model):
    by_popularity = learned(model, PopularityModel(model.popular))
    explained = explain_by_model(receipt_of(by_popularity, {}), None, by_popularity, {})

    assert "the same for everybody" in explained.exact
    assert not any(movie.causes for movie in explained.recommended)


def test_what_only_fills_up_is_said_to(model):
    explained = explain_by_model(receipt_of(model, {}), None, model, {})

    assert "fills the list up" in explained.recommended[-1].note


def test_a_movie_that_would_have_been_listed_is_told_with_the_reason_why_not(model):
    recent = {MOVIES[9]: 5.0, MOVIES[50]: nan}
    explained = explain_by_model(receipt_of(model, recent), None, model, recent)

    assert LeftOut(MOVIES[50], "rated or watched since") in explained.left_out
    assert LeftOut(MOVIES[1], "known at training") in explained.left_out


def test_a_version_that_kept_no_ratings_says_that_they_are_gone(tmp_path):
    model = publish(tmp_path, top={USER: [50]}, seen={USER: [1]})
    explained = explain_by_model(receipt_of(model, {}), None, model, {})

    assert "did not keep the ratings" in explained.gone[0]


def test_a_stranger_s_answer_is_explained_by_the_fallback(model):
    explained = explain_by_model(receipt_of(model, {}, user=999), None, model, {})
    lines = "\n".join(told(explained))

    assert "popular ever" in lines
    assert "answer   20 movies for user 999" in lines


def test_lines_name_data_and_code(model):
    manifest = {
        "created_at": "2026-01-01T00:00:00+00:00",
        "algorithm": "ease",
        "parameters": {},
        "data": {"hash": "d4t4", "interactions": 3},
        "code": {"git_commit": "c0de"},
    }
    lines = list(told(explain_by_model(receipt_of(model, {}), manifest, model, {})))

    assert any("d4t4" in line for line in lines)
    assert any("git commit c0de" in line for line in lines)


def test_a_receipt_s_id_tells_its_time():
    assert told_time(UUID("01890000-0000-7000-8000-000000000000")) == datetime(
        2023, 6, 28, 3, 15, 47, 328000, tzinfo=UTC
    )


def test_an_id_of_another_kind_is_refused():
    with pytest.raises(NoReceiptError, match="version 7"):
        told_time(UUID("c0ffee00-0000-4000-8000-000000000000"))


def test_a_list_of_the_training_is_explained_by_what_was_known_then(model):
    """So it is answered where there was no time to rank; what was done since is left out."""
    recent = {MOVIES[3]: 5.0, MOVIES[50]: 4.0}
    receipt = receipt_of(model, {}) | {"movie_ids": [MOVIES[51], MOVIES[0]], "reason": "model"}
    explained = explain_by_model(receipt, None, model, recent)

    first = explained.recommended[0]
    assert {cause.movie_id for cause in first.causes} == {MOVIES[1], MOVIES[2]}
    assert first.score == pytest.approx(sum(cause.contribution for cause in first.causes))
    assert LeftOut(MOVIES[50], "rated or watched since") in explained.left_out


def test_an_interleaved_list_is_explained_each_movie_by_its_own_version(model, tmp_path):
    other = publish(tmp_path, "v2", top={USER: [52, 50]}, seen={USER: [4]}, likes={4: [52]})
    drafted = {
        "movie_ids": [MOVIES[52], MOVIES[50], MOVIES[51]],
        "interleaved_with": "v2",
        "origins": "B=A",
    }
    receipt = receipt_of(model, {}) | drafted
    control, challenger = parts_of(receipt)
    assert control["movie_ids"] == [MOVIES[50], MOVIES[51]]
    assert (challenger["movie_ids"], challenger["model_version"]) == ([MOVIES[52]], "v2")

    parts = [
        explain_by_model(part, None, version, {})
        for part, version in ((control, model), (challenger, other))
    ]
    explained = put_together(receipt, parts)
    assert [movie.movie_id for movie in explained.recommended] == receipt["movie_ids"]
    assert explained.recommended[0].causes[0].movie_id == MOVIES[4]
    assert explained.recommended[1].causes[0].movie_id == MOVIES[1]
    lines = list(told(explained))
    assert any(line.startswith("drafted  with the list of v2") for line in lines)
    assert any(line.startswith(f"  1 B {MOVIES[52]}") for line in lines)
    assert any(line.startswith(f"  2 = {MOVIES[50]}") for line in lines)


def test_a_list_that_was_left_to_the_first_request_is_explained_by_what_was_known(tmp_path):
    seen, likes = {USER: [1, 2]}, {1: [51, 50], 2: [51]}
    model = publish(tmp_path, top={USER: []}, listed=[], seen=seen, rated=4.5, likes=likes)
    explained = explain_by_model(receipt_of(model, {}), None, model, {})

    first = explained.recommended[0]
    assert "reason   fold_in: scored then" in "\n".join(told(explained))
    assert (first.movie_id, first.score) == (MOVIES[51], 6.0)
    assert {cause.movie_id for cause in first.causes} == {MOVIES[1], MOVIES[2]}

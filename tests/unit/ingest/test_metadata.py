from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalogue.metadata import (
    MovieDescription,
    UserDescription,
    by_id,
    movie_description,
    user_description,
)


def test_a_movie_as_most_deployments_write_it():
    answer = {"title": "Up", "release_date": "2009-05-13", "runtime": 96,
              "genres": [{"id": 16, "name": "Animation"}]}  # fmt: skip
    assert movie_description(answer) == MovieDescription("Up", date(2009, 5, 13), 96, ["Animation"])


def test_a_movie_whose_everything_is_a_string():
    answer = {"title": "null", "release_date": "null", "runtime": "96", "genres": {}}
    assert movie_description(answer) == MovieDescription(None, None, 96, None)


def test_a_user_as_most_deployments_write_it():
    answer = {"user_id": 1, "age": 34, "occupation": "sales", "gender": "M"}
    assert user_description(answer) == UserDescription(34, "M", "sales")


@pytest.mark.parametrize("age", ["null", None, -1, 1000, "many", {}, float("nan"), "1e999"])
def test_an_age_that_is_none_is_unknown(age):
    assert user_description({"age": age}).age is None


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        ({"user_id": 1}, {"1"}),
        ({"user_id": "1"}, {"1"}),
        ([{"user_id": 1}, {"message": "user not found"}], {"1"}),
        ({"message": "user not found"}, set()),
        (None, set()),
        ("oops", set()),
    ],
)
def test_answers_are_known_by_id(answer, known):
    assert by_id(answer, "user_id").keys() == known


def test_what_no_database_can_hold_of_a_title_is_replaced():
    answer = {"title": "U\ud83dp\0", "genres": ["\udc00"]}
    described = movie_description(answer)
    assert (described.title, described.genres) == ("U\ufffdp\ufffd", ["\ufffd"])


@given(st.text(st.characters(codec=None, categories=["Cs", "Cc", "L"])))
def test_every_text_can_be_stored(text):
    title = movie_description({"title": text}).title or ""
    assert "\0" not in title
    title.encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    st.dictionaries(st.sampled_from(["title", "release_date", "runtime", "genres"]), json_values)
)
def test_whatever_is_answered_of_a_movie_is_read(answer):
    movie_description(answer)

from datetime import UTC, datetime

import pytest

from compose.service.assignment import (
    Assignment,
    AssignmentError,
    Interleaved,
    assign,
    assigned_version,
    assigned_versions,
    assignment_file,
    read_assignment,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def blue(tmp_path):
    return assignment_file(tmp_path, "blue")


def test_a_slot_is_told_what_it_was_last_told(blue):
    assign(blue, "first", NOW)
    assign(blue, "second", NOW)
    assert assigned_version(blue) == "second"


def test_what_is_stored_can_be_read_by_a_person_and_by_an_older_release(blue):
    assign(blue, "20260102-030405-ease", NOW)
    assert blue.read_text() == (
        '{"model_version": "20260102-030405-ease", "assigned_at": "2026-01-02T03:04:05+00:00"}\n'
    )


def test_nothing_is_assigned_before_the_first_release(tmp_path, blue):
    assert assigned_version(blue) is None
    assert assigned_versions(tmp_path) == set()


def test_what_any_slot_is_told_to_hold_is_assigned(tmp_path, blue):
    assign(blue, "a", NOW)
    assign(assignment_file(tmp_path, "green"), "b", NOW)
    assert assigned_versions(tmp_path) == {"a", "b"}


def test_a_second_version_and_whose_lists_are_drafted_are_told_and_it_is_held_too(tmp_path, blue):
    beside = Interleaved("b", frozenset({3, 999}))
    assign(blue, "a", NOW, beside)
    assert read_assignment(blue) == Assignment("a", beside)
    assert assigned_version(blue) == "a"
    assert assigned_versions(tmp_path) == {"a", "b"}
    assign(blue, "a", NOW)
    assert read_assignment(blue) == Assignment("a")


def test_what_is_being_written_beside_the_files_assigns_nothing(tmp_path, blue):
    assign(blue, "a", NOW)
    (blue.parent / ".tmp-blue.json").write_text('{"model_ver')
    assert assigned_versions(tmp_path) == {"a"}


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{}", '{"model_version": 7}', '{"model_ver', '{"model_version": "../etc"}'),
        '{"model_version": "a", "interleaved": {"model_version": "../etc", "buckets": []}}',
        '{"model_version": "a", "interleaved": {"model_version": "b"}}',
        '{"model_version": "a", "interleaved": ["b"]}',
    ],
)
def test_an_assignment_that_names_no_version_is_said(tmp_path, blue, content):
    assign(blue, "a", NOW)
    blue.write_text(content)
    for read in (lambda: assigned_version(blue), lambda: assigned_versions(tmp_path)):
        with pytest.raises(AssignmentError, match=r"^blue\.json names no model version"):
            read()

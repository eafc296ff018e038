"""Which model a slot answers with."""

import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from compose.service.assignment import AssignmentError, Interleaved
from compose.service.assignment import assign as tell
from recommender.metrics import Metrics
from recommender.slot import RETRY_REFUSED_SECONDS, Slot, offsets_trained_on
from tests.unit.recommender.versions import publish

FIRST, SECOND = "20260101-000000-ease", "20260102-000000-ease"


@pytest.fixture
def assignment(tmp_path):
    return tmp_path / "blue.json"


@pytest.fixture
def slot(tmp_path, assignment):
    return Slot(tmp_path, assignment, Metrics())


def assign(assignment, version):
    assignment.write_text(json.dumps({"model_version": version, "assigned_at": "now"}))


def damage(version):
    """One array was only half written."""
    (version / "popular.npy").write_bytes(b"half")


def leave_unfinished(version):
    """A file is missing."""
    (version / "top_items.npy").unlink()


def make_too_new(version):
    """It is whole, but a later release of the code wrote it."""
    manifest = json.loads((version / "manifest.json").read_text())
    text = json.dumps(manifest | {"schema": 99}).encode()
    (version / "manifest.json").write_bytes(text)
    (version / "manifest.sha256").write_text(f"{sha256(text).hexdigest()}  manifest.json\n")


def test_a_slot_without_an_assignment_has_no_model(slot):
    slot.follow(0.0)

    assert slot.model is None


def test_the_assigned_version_is_loaded_and_a_new_assignment_replaces_it(
    slot, assignment, tmp_path
):
    publish(tmp_path, FIRST)
    publish(tmp_path, SECOND)
    for version in (FIRST, SECOND):
        assign(assignment, version)
        slot.follow(0.0)
        assert slot.model.name == version


@pytest.mark.parametrize("harm", [damage, leave_unfinished, make_too_new])
def test_a_version_that_cannot_be_trusted_is_refused_and_the_last_good_one_stays(
    slot, assignment, tmp_path, harm
):
    publish(tmp_path, FIRST)
    assign(assignment, FIRST)
    slot.follow(0.0)
    publish(tmp_path, SECOND)
    harm(tmp_path / "versions" / SECOND)
    assign(assignment, SECOND)
    slot.follow(0.0)

    assert (slot.model.name, slot.refused) == (FIRST, SECOND)


def test_an_unfit_version_is_refused(slot, assignment, tmp_path):
    publish(tmp_path, FIRST, top={1: [3, 3]})
    assign(assignment, FIRST)
    slot.follow(0.0)

    assert (slot.model, slot.refused) == (None, FIRST)


def test_a_refused_version_is_tried_again_later_but_not_at_each_look(slot, assignment, tmp_path):
    assign(assignment, FIRST)
    slot.follow(0.0)
    publish(tmp_path, FIRST)
    slot.follow(RETRY_REFUSED_SECONDS - 1)
    assert slot.model is None

    slot.follow(RETRY_REFUSED_SECONDS)
    assert slot.model is not None
    assert (slot.model.name, slot.refused) == (FIRST, None)


def test_a_version_published_after_its_assignment_is_met_is_not_waited_for_by_another(
    slot, assignment, tmp_path
):
    assign(assignment, FIRST)
    slot.follow(0.0)
    publish(tmp_path, SECOND)
    assign(assignment, SECOND)
    slot.follow(0.1)

    assert (slot.model.name, slot.refused) == (SECOND, None)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"model_version": 3}', '{"model_version": "../etc"}']
)
def test_an_assignment_that_names_no_version_is_an_error(slot, assignment, content):
    assignment.write_text(content)

    with pytest.raises(AssignmentError, match=r"blue\.json names no model version"):
        slot.follow(0.0)


def tell_both(assignment, own=FIRST, second=SECOND, buckets=(1, 2)):
    tell(assignment, own, datetime.now(UTC), Interleaved(second, frozenset(buckets)))


@pytest.fixture
def interleaving(slot, assignment, tmp_path):
    """A slot that holds two versions."""
    publish(tmp_path, FIRST)
    publish(tmp_path, SECOND)
    tell_both(assignment)
    for _look in range(2):
        slot.follow(0.0)
    return slot


def test_a_second_version_is_held_beside_the_own_for_people_in_some_buckets(interleaving):
    assert interleaving.model.name == FIRST
    held = interleaving.interleaving
    assert (held.challenger.name, held.buckets) == (SECOND, {1, 2})
    assert held.challenger_of(1) is held.challenger
    assert held.challenger_of(3) is None


def test_other_buckets_are_taken_up_without_loading_anew(interleaving, assignment):
    before = interleaving.interleaving.challenger
    tell_both(assignment, buckets=(7,))
    interleaving.follow(0.0)
    assert interleaving.interleaving == (before, {7})


def test_a_plain_assignment_ends_it_at_once(interleaving, assignment):
    assign(assignment, FIRST)
    interleaving.follow(0.0)
    assert interleaving.interleaving is None
    assert interleaving.model.name == FIRST


def test_it_ends_even_where_the_new_own_version_is_refused(interleaving, assignment):
    assign(assignment, "gone")
    interleaving.follow(0.0)
    assert interleaving.interleaving is None
    assert (interleaving.model.name, interleaving.refused) == (FIRST, "gone")


@pytest.mark.parametrize("harm", [damage, leave_unfinished, make_too_new])
def test_a_second_version_that_cannot_be_trusted_is_refused_and_the_own_goes_on(
    slot, assignment, tmp_path, harm
):
    publish(tmp_path, FIRST)
    publish(tmp_path, SECOND)
    harm(tmp_path / "versions" / SECOND)
    tell_both(assignment)
    for _look in range(3):
        slot.follow(0.0)
    assert (slot.model.name, slot.interleaving, slot.refused) == (FIRST, None, SECOND)


def test_offsets_are_numbers_by_partition(tmp_path):
    model = publish(tmp_path, offsets={"0": 17, "1": 4})

    assert offsets_trained_on(model) == {0: 17, 1: 4}

"""Which code each slot runs, after what it got and what was taken back."""

from ci.slots.code import Code, Outcome, running_after
from ci.slots.state import Slot

A, B = Code("a", "id of a"), Code("b", "id of b")
BLUE, GREEN = Slot.BLUE, Slot.GREEN


def test_slots_that_got_nothing_run_what_they_began_with():
    assert running_after([]) == {BLUE: None, GREEN: None}


def test_what_is_tried_runs_until_it_is_taken_back():
    got = [(BLUE, A, Outcome.RELEASED), (GREEN, A, Outcome.RELEASED), (GREEN, B, Outcome.PLACED)]
    assert running_after(got) == {BLUE: A, GREEN: B}
    assert running_after([*got, (GREEN, B, Outcome.TAKEN_BACK)]) == {BLUE: A, GREEN: A}


def test_a_slot_may_run_what_it_is_being_given():
    assert running_after([(GREEN, A, Outcome.GIVEN)]) == {BLUE: None, GREEN: A}


def test_what_people_have_is_what_a_later_one_is_taken_back_to():
    cut_short = [(GREEN, A, Outcome.PLACED), (GREEN, A, Outcome.RELEASED)]
    got = [*cut_short, (BLUE, B, Outcome.PLACED), (BLUE, B, Outcome.TAKEN_BACK)]
    assert running_after(got) == {BLUE: A, GREEN: A}


def test_what_was_tried_in_vain_is_nothing_to_be_taken_back_to():
    in_vain = [(GREEN, A, Outcome.PLACED)]
    got = [*in_vain, (GREEN, B, Outcome.PLACED), (GREEN, B, Outcome.TAKEN_BACK)]
    assert running_after(got) == {BLUE: None, GREEN: None}


def test_the_other_slot_that_does_not_get_it_keeps_its_own():
    got = [(GREEN, A, Outcome.PLACED), (GREEN, A, Outcome.RELEASED), (BLUE, A, Outcome.TAKEN_BACK)]
    assert running_after(got) == {BLUE: None, GREEN: A}

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


def test_what_is_kept_is_what_a_later_one_is_taken_back_to():
    got = [(GREEN, A, Outcome.PLACED), (GREEN, A, Outcome.RELEASED), (GREEN, B, Outcome.TAKEN_BACK)]
    assert running_after(got) == {BLUE: None, GREEN: A}

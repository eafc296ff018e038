from hypothesis import given
from hypothesis import strategies as st

from ingest.deduplication.window import DuplicateWindow, line_hash


def test_a_line_that_comes_again_is_a_double_of_the_first():
    window = DuplicateWindow(10)
    assert window.admit(range(2), [b"a", b"b"]) == {}
    assert window.admit([2, 3], [b"c", b"a"]) == {3: 0}


def test_a_line_that_comes_a_third_time_is_a_double_of_the_first_too():
    window = DuplicateWindow(10)
    assert window.admit(range(5, 8), [b"a", b"a", b"a"]) == {6: 5, 7: 5}


def test_lines_that_are_no_lines_are_no_doubles():
    assert DuplicateWindow(10).admit(range(3), [b"", b"", b""]) == {}


def test_a_line_is_forgotten_when_as_many_others_came():
    window = DuplicateWindow(4)
    window.admit([0], [b"a"])
    for offset in range(1, 7):
        window.admit([offset], [b"%d" % offset])
    assert window.admit([7], [b"a"]) == {}


@given(
    st.lists(st.sampled_from([b"a", b"b", b"c", b"d", b"e", b""]), max_size=60), st.integers(1, 9)
)
def test_within_half_a_window_every_double_is_found_however_batches_are_cut(lines, size):
    window = DuplicateWindow(200)
    found = {}
    for first in range(0, len(lines), size):
        found |= window.admit(*zip(*[*enumerate(lines)][first : first + size], strict=True))
    assert found == {
        at: lines.index(line) for at, line in enumerate(lines) if line and line in lines[:at]
    }


def test_every_process_computes_the_same_hash_of_a_line():
    line = b"2026-03-10T11:00:01,5,GET /create_account"
    assert line_hash(line) == 8349035617126185528

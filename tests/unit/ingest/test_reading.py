from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from ingest.kafka.reader import Gathered


@dataclass
class Record:
    offset: int
    value: bytes | None
    leader_epoch: int = -1
    timestamp: int = -1


def test_each_record_is_a_line():
    gathered = Gathered(1, 10)
    gathered.add([Record(10, b"a")])
    gathered.add([Record(11, b"b"), Record(12, b"c")])
    read = gathered.slice()
    assert (read.lines, read.gaps, read.next_offset) == ([b"a", b"b", b"c"], [], 13)
    assert [*read.offsets] == [10, 11, 12]


def test_offsets_without_a_record_are_gaps():
    gathered = Gathered(1, 10)
    gathered.add([Record(12, b"c"), Record(13, b"d"), Record(15, b"f")])
    gathered.pass_over(19)
    read = gathered.slice()
    assert read.gaps == [range(10, 12), range(14, 15), range(16, 19)]
    assert [*zip(read.offsets, read.lines, strict=True)] == [(12, b"c"), (13, b"d"), (15, b"f")]
    assert read.next_offset == 19


def test_a_record_without_a_value_is_an_empty_line():
    gathered = Gathered(1, 10)
    gathered.add([Record(10, None)])
    read = gathered.slice()
    assert (read.lines, read.gaps) == ([b""], [])


def test_endings_are_no_part_of_lines():
    gathered = Gathered(1, 10)
    gathered.add([Record(10, b"a\r\n"), Record(11, b"b"), Record(12, b"c\n"), Record(13, None)])
    assert gathered.slice().lines == [b"a", b"b", b"c", b""]


def test_nothing_but_a_gap_can_be_read():
    gathered = Gathered(1, 10)
    gathered.pass_over(10)
    assert gathered.slice().gaps == []
    gathered.pass_over(12)
    read = gathered.slice()
    assert ([*read.offsets], read.gaps, read.next_offset) == ([], [range(10, 12)], 12)


@given(st.lists(st.booleans()))
def test_lines_and_gaps_together_are_every_offset_once(there):
    gathered = Gathered(1, 70)
    records = [Record(offset, b"a") for offset, so in enumerate(there, 70) if so]
    if records:
        gathered.add(records)
    gathered.pass_over(70 + len(there))
    read = gathered.slice()
    passed_over = [offset for gap in read.gaps for offset in gap]
    assert [*read.offsets] == [record.offset for record in records]
    assert sorted([*read.offsets, *passed_over]) == [*range(70, 70 + len(there))]
    assert read.next_offset == 70 + len(there)

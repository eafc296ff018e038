from dataclasses import dataclass

from ingest.kafka.reader import append_lines


@dataclass
class Record:
    offset: int
    value: bytes | None


def test_each_record_is_a_line():
    lines = [b"a"]
    append_lines(lines, 10, [Record(11, b"b"), Record(12, b"c")])
    assert lines == [b"a", b"b", b"c"]


def test_an_offset_without_a_record_or_a_value_is_an_empty_line():
    lines: list[bytes] = []
    append_lines(lines, 10, [Record(12, b"c"), Record(13, None), Record(15, b"f")])
    assert lines == [b"", b"", b"c", b"", b"", b"f"]

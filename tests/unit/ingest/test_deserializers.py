from ingest.kafka.deserializers import NoKey, ShortLine
from ingest.lines.grammar import MAX_LINE_BYTES


def kept(line: bytes | None) -> bytes | None:
    return ShortLine().deserialize("topic", [], line)


def test_a_line_that_may_be_read_stays_as_it_is_with_any_ending():
    longest = b"x" * MAX_LINE_BYTES
    for line in (b"", None, b"a line", longest, longest + b"\r\n"):
        assert kept(line) == line


def test_an_over_long_line_stays_over_long_and_keeps_its_beginning():
    line = bytes(range(256)) * 10_000
    short = kept(line)
    assert short is not None
    assert MAX_LINE_BYTES < len(short) < 2 * MAX_LINE_BYTES
    assert short[:MAX_LINE_BYTES] == line[:MAX_LINE_BYTES]


def test_over_long_lines_that_begin_alike_are_told_apart():
    line = b"x" * 10_000
    assert kept(line) == kept(line)
    assert kept(line) != kept(line + b"y")


def test_keys_and_headers_go():
    headers = [("name", b"value")]
    ShortLine().deserialize("topic", headers, b"a line")
    assert headers == []
    assert NoKey().deserialize("topic", [], b"key") is None

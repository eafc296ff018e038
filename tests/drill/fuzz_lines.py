"""Looks for bytes that the parser or the encoder stumbles over, guided by what code they reach.

    pip install atheris && python -m tests.drill.fuzz_lines -atheris_runs=2000000

Atheris is in no image: this is run when the parser changes. It stops at the first line that
raises, that is not exactly one row, or that is not read the same way again when written.
"""

import sys
from datetime import UTC, datetime, timedelta

import atheris

with atheris.instrument_imports(include=["ingest"]):
    from ingest.landing.rows import TABLE_OF, Rules, encode
    from ingest.lines.admission import TimeVerdicts
    from ingest.lines.grammar import ONE_TO_FIVE, Rejected, format_line, parse
    from ingest.lines.slices import Slice
    from ingest.partition import Partition

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = [Partition("any", NOON - timedelta(days=1), NOON + timedelta(days=1))]
SEEDS = [
    b"2026-03-10T11:00:01,5,GET /data/m/the+godfather+1972/7.mpg",
    b"2026-03-10T11:00,5,GET /rate/up+2009=4",
    b"2026-03-10T11:00:01.123456789,5,recommendation request h, status 200, result: a, b, 9 ms",
    b"2026-03-10T11:00:01.123,5,recommendation request h:8082, status 0, result: no, answer, 9 ms",
    b"2026-03-10T11:00,5,GET /create_account",
]


def check(data: bytes) -> None:
    """A line is read or refused, and is one row; what is read is written and read alike."""
    # the first byte chooses a whole line to damage, so that deep code is reached at once
    line = data[1:]
    if data and data[0] < len(SEEDS):
        seed = SEEDS[data[0]]
        place = len(line) % (len(seed) + 1)
        line = seed[:place] + line + seed[place:]
    event = parse(line)
    verdicts = {
        table: TimeVerdicts(TODAY, NOON, timedelta(minutes=5)) for table in TABLE_OF.values()
    }
    rows = encode([Slice(0, 0, [line])], Rules(verdicts, ONE_TO_FIVE, NOON), {})
    text = b"".join(piece for pieces in rows.of.values() for piece in pieces)
    assert rows.count.total() == text.count(b"\n") == 1, line
    if isinstance(event, Rejected):
        assert rows.count["reject"] == 1, line
    else:
        assert parse(format_line(event)) == event, line


def main() -> None:
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

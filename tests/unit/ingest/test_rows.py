from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ingest.admission import TimeVerdicts
from ingest.lines import ONE_TO_FIVE, Reason
from ingest.partitions import Partition
from ingest.rows import COLUMNS, TABLE_OF, Rows, Rules, Slice, encode

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def encoded(lines: list[bytes]) -> Rows:
    partitions = [Partition("any", NOON - timedelta(days=1), NOON + timedelta(days=1))]
    verdicts = {
        table: TimeVerdicts(partitions, NOON, timedelta(minutes=5)) for table in TABLE_OF.values()
    }
    return encode([Slice(1, 70, lines)], Rules(verdicts, ONE_TO_FIVE, NOON))


def test_a_watched_minute_is_a_row_of_watch():
    rows = encoded([b"2026-03-10T11:00:57.1234567,5,GET /data/m/up+2009/7.mpg"])
    assert rows.of["watch"] == [b"2026-03-10T11:00:57.123456\t5\tup+2009\t7\t1\t70\n"]


def test_a_rating_is_a_row_of_rating():
    rows = encoded([b"2026-03-10T11:00,5,GET /rate/up+2009=4"])
    assert rows.of["rating"] == [b"2026-03-10T11:00:00+00:00\t5\tup+2009\t4\t1\t70\n"]


def test_a_failed_request_is_a_row_with_its_error():
    rows = encoded([b"2026-03-10T11:00,5,recommendation request h, status 0, result: a\\b, 9 ms"])
    assert rows.of["recommendation_request"] == [
        b"2026-03-10T11:00:00+00:00\t5\th\t0\t{}\ta\\\\b\t9\t1\t70\n"
    ]


def test_a_refused_line_is_a_row_with_its_bytes():
    rows = encoded([b"?"])
    assert rows.of["reject"] == [b"2026-03-10T12:00:00+00:00\tbad_time\t\\\\x3f\t1\t70\n"]


def test_an_old_line_is_refused_as_expired():
    rows = encoded([b"2025-03-10T11:00,5,GET /data/m/up+2009/7.mpg"])
    assert (rows.of["watch"], rows.refused) == ([], {Reason.EXPIRED: 1})


def test_an_over_long_watch_is_refused():
    rows = encoded([b"2026-03-10T11:00,5,GET /data/m/%b/7.mpg" % (b"u" * 5000)])
    assert (rows.of["watch"], rows.refused) == ([], {Reason.OVER_LONG: 1})


pieces = st.sampled_from(
    [b"2026-03-10T11:00", b",5,", b"GET /data/m/", b"up", b"/7.mpg", b"GET /rate/", b"=4", b"\x00"]
)


@given(st.lists(st.one_of(st.binary(), st.lists(pieces).map(b"".join))))
def test_each_line_is_exactly_one_row(lines):
    rows = encoded(lines).of
    offsets = [int(row.rsplit(b"\t", 1)[1]) for table in COLUMNS for row in rows[table]]
    assert sorted(offsets) == list(range(70, 70 + len(lines)))

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.deduplication.window import Duplicates
from ingest.landing.rows import COLUMNS, TABLE_OF, Rows, Rules, encode
from ingest.lines.admission import EVERY_ID, KnownIds, TimeVerdicts
from ingest.lines.grammar import ONE_TO_FIVE, Reason, Watched, parse
from ingest.lines.slices import Slice
from ingest.partition import Partition

NO_DOUBLES: Duplicates = {}
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def encoded(
    lines: list[bytes], duplicates: Duplicates = NO_DOUBLES, ids: KnownIds = EVERY_ID
) -> Rows:
    return encode([Slice(1, 70, lines)], rules(ids), duplicates)


def rules(ids: KnownIds = EVERY_ID) -> Rules:
    partitions = [Partition("any", NOON - timedelta(days=1), NOON + timedelta(days=1))]
    verdicts = {
        table: TimeVerdicts(partitions, NOON, timedelta(minutes=5)) for table in TABLE_OF.values()
    }
    return Rules(verdicts, ONE_TO_FIVE, NOON, ids)


def test_watched_minutes_are_rows_of_watch():
    rows = encoded(
        [
            b"2026-03-10T11:00:57.123,5,GET /data/m/up+2009/7.mpg",
            b"2026-03-10T11:00,6,GET /data/m/a%20b.mpg/17.mpg",
        ]
    )
    assert b"".join(rows.of["watch"]) == (
        b"2026-03-10T11:00:57.123\t5\tup+2009\t7\t1\t70\n"
        b"2026-03-10T11:00\t6\ta%20b.mpg\t17\t1\t71\n"
    )


def test_what_is_finer_than_a_microsecond_is_cut_off():
    rows = encoded([b"2026-03-10T11:00:57.1234567,5,GET /data/m/up+2009/7.mpg"])
    assert rows.of["watch"] == [b"2026-03-10T11:00:57.123456+00:00\t5\tup+2009\t7\t1\t70\n"]


def test_doubled_lines_are_rows_of_duplicate_only():
    line = b"2026-03-10T11:00,5,GET /rate/up+2009=4"
    rows = encoded([line, line], {(1, 71): (1, 70)})
    assert rows.of["duplicate"] == [b"2026-03-10T12:00:00+00:00\t1\t71\t1\t70\n"]
    assert rows.count == {"rating": 1, "duplicate": 1}


def test_a_gap_is_one_row_and_the_lines_around_it_keep_their_offsets():
    line = b"2026-03-10T11:00,5,GET /rate/up+2009=4"
    rows = encode([Slice(1, 70, [line, line], [range(71, 75)])], rules(), NO_DOUBLES)
    assert rows.of["offset_gap"] == [b"2026-03-10T12:00:00+00:00\t1\t71\t4\n"]
    assert [row[-5:] for row in rows.of["rating"]] == [b"1\t70\n", b"1\t75\n"]


def test_a_user_beyond_the_known_range_is_refused():
    lines = [
        b"2026-03-10T11:00,5000,GET /data/m/up+2009/7.mpg",
        b"2026-03-10T11:00,10,GET /create_account",
    ]
    rows = encoded(lines, ids=KnownIds(range(1000)))
    assert (rows.rejected, rows.count["account"]) == ({Reason.UNKNOWN_USER: 1}, 1)


def test_a_movie_that_no_catalogue_has_is_refused_where_it_is_strict():
    lines = [
        b"2026-03-10T11:00,5,GET /data/m/%b/7.mpg" % movie for movie in (b"up+2009", b"up+20009")
    ]
    rows = encoded(lines, ids=KnownIds(movies=frozenset([b"up+2009"])))
    assert (rows.rejected, rows.count["watch"]) == ({Reason.UNKNOWN_MOVIE: 1}, 1)


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
    assert (rows.of["watch"], rows.rejected) == ([], {Reason.EXPIRED: 1})


def test_an_over_long_watch_is_refused():
    rows = encoded([b"2026-03-10T11:00,5,GET /data/m/%b/7.mpg" % (b"u" * 5000)])
    assert (rows.of["watch"], rows.rejected) == ([], {Reason.OVER_LONG: 1})


@pytest.mark.parametrize(("length", "refused"), [(1024, {}), (1025, {Reason.BAD_MOVIE: 1})])
def test_a_watch_of_an_over_long_movie_is_refused(length, refused):
    rows = encoded([b"2026-03-10T11:00,5,GET /data/m/%b/7.mpg" % (b"u" * length)])
    assert (len(rows.of["watch"]), rows.rejected) == (1 - len(refused), refused)


pieces = st.sampled_from(
    [b"2026-03-10T11:00", b",5,", b"GET /data/m/", b"up", b"/7.mpg", b"GET /rate/", b"=4", b"\x00"]
)


@given(st.lists(st.one_of(st.binary(), st.lists(pieces).map(b"".join))))
def test_each_line_is_exactly_one_row(lines):
    rows = encoded(lines).of
    offsets = [
        int(row.rsplit(b"\t", 1)[1])
        for table in COLUMNS
        for row in b"".join(rows[table]).splitlines()
    ]
    assert sorted(offsets) == list(range(70, 70 + len(lines)))


@given(
    st.from_regex(
        re.compile(
            rb"2026-03-1[0-9]T[0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?(Z|[+-]0[0-9]:00)?,0?[0-9]{0,19},"
            rb"GET /data/m/[a-z+%0-9.]{0,6}/[0-9]{0,5}\.mpg"
        ),
        fullmatch=True,
    )
)
def test_minutes_taken_in_bulk_are_those_that_the_parser_reads(line):
    taken = encoded([line])
    read = parse(line)
    assert bool(taken.count["watch"]) == (
        isinstance(read, Watched)
        and NOON - timedelta(days=1) <= read.time < NOON + timedelta(minutes=6)
    )
    for row in taken.of["watch"]:
        _time, user, movie, minute, *_place = row.split(b"\t")
        assert (int(user), movie.decode(), int(minute)) == (
            read.user_id,
            read.movie_id,
            read.minute,
        )

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.lines.grammar import (
    MAX_LINE_BYTES,
    MAX_MOVIE_BYTES,
    AccountCreated,
    Rated,
    Reason,
    Rejected,
    Requested,
    Watched,
    format_line,
    format_time,
    parse,
    rating_scale,
    utc_minute,
)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_a_watched_minute():
    line = b"2023-10-25T07:20:57,135941,GET /data/m/interstellar+2014/134.mpg"
    assert parse(line) == Watched(at(2023, 10, 25, 7, 20, 57), 135941, "interstellar+2014", 134)


def test_a_rating():
    line = b"2023-09-28T20:20:31,235078,GET /rate/to+live+and+die+in+l.a.+1985=3"
    assert parse(line) == Rated(
        at(2023, 9, 28, 20, 20, 31), 235078, "to+live+and+die+in+l.a.+1985", 3.0
    )


LONGEST = b"%C3%A9" * (MAX_MOVIE_BYTES // 6) + b"+2014"[: MAX_MOVIE_BYTES % 6]
NAMES_A_MOVIE = [
    b"2023-10-25T07:20,1,GET /data/m/%b/1.mpg",
    b"2023-10-25T07:20,1,GET /rate/%b=3",
    b"2023-10-25T07:20,1,recommendation request a:1, status 200, result: %b, 9 ms",
    b"2023-10-25T07:20,1,recommendation request a:1, status 200, result: up+2009, %b, 9 ms",
]


@pytest.mark.parametrize("line", NAMES_A_MOVIE)
def test_a_movie_id_is_at_most_as_long_as_a_key_of_the_database_can_hold(line):
    assert len(LONGEST) == MAX_MOVIE_BYTES
    assert not isinstance(parse(line % LONGEST), Rejected)
    longer = line % (LONGEST + b"x")
    assert parse(longer) == Rejected(Reason.BAD_MOVIE, longer)


def test_a_created_account():
    line = b"2026-02-14T10:30:03,99999,GET /create_account"
    assert parse(line) == AccountCreated(at(2026, 2, 14, 10, 30, 3), 99999)


def test_an_answered_request():
    line = (
        b"2023-10-25T07:20:57.389,226993,recommendation request"
        b" fall2023-comp585-4.cs.mcgill.ca:8082, status 200, result:"
        b" up+2009, mickey_+donald_+goofy+the+three+musketeers+2004, whiplash+2014, 351 ms"
    )
    assert parse(line) == Requested(
        at(2023, 10, 25, 7, 20, 57, 389000),
        226993,
        "fall2023-comp585-4.cs.mcgill.ca:8082",
        200,
        ("up+2009", "mickey_+donald_+goofy+the+three+musketeers+2004", "whiplash+2014"),
        None,
        351,
    )


def test_a_failed_request_keeps_its_error_with_commas_and_all():
    line = (
        b"2022-02-09T01:45:32.945123,284507,recommendation request"
        b" 17645-team17.isri.cmu.edu:8082, status 0, result:"
        b" java.util.concurrent.TimeoutException: Request timeout to"
        b" 17645-team17.isri.cmu.edu/128.2.205.118:8082 after 800 ms, 815 ms"
    )
    assert parse(line) == Requested(
        at(2022, 2, 9, 1, 45, 32, 945123),
        284507,
        "17645-team17.isri.cmu.edu:8082",
        0,
        (),
        "java.util.concurrent.TimeoutException: Request timeout to"
        " 17645-team17.isri.cmu.edu/128.2.205.118:8082 after 800 ms",
        815,
    )


def test_an_answer_without_movies_is_an_answer():
    line = b"2026-02-14T00:09:21,7,recommendation request host:8082, status 200, result: , 3 ms"
    assert parse(line) == Requested(at(2026, 2, 14, 0, 9, 21), 7, "host:8082", 200, (), None, 3)


REAL_WATCHES = b"""\
2023-10-25T07:20:57,505042,GET /data/m/gone+girl+2014/23.mpg
2023-10-25T07:20:57,158041,GET /data/m/the+lord+of+the+rings+the+return+of+the+king+2003/105.mpg
2023-10-25T07:20:57,29619,GET /data/m/seven+samurai+1954/103.mpg
2023-10-25T07:20:57,213386,GET /data/m/the+lord+of+the+rings+the+return+of+the+king+2003/179.mpg
2023-10-25T07:20:57,201386,GET /data/m/casino+royale+2006/40.mpg
2023-10-25T07:20:57,21781,GET /data/m/boys+dont+cry+1999/62.mpg
2023-10-25T07:20:57,471393,GET /data/m/the+lord+of+the+rings+the+two+towers+2002/147.mpg
2023-10-25T07:20:57,417272,GET /data/m/love+and+pain+and+the+whole+damn+thing+1973/79.mpg
2023-10-25T07:20:57,452773,GET /data/m/zulu+1964/59.mpg
2023-10-25T07:20:57,125777,GET /data/m/blood+and+roses+1960/74.mpg
2023-10-25T07:20:57,153811,GET /data/m/the+lord+of+the+rings+the+return+of+the+king+2003/194.mpg
2023-10-25T07:20:57,5449,GET /data/m/one+flew+over+the+cuckoos+nest+1975/130.mpg
2023-10-25T07:20:57,378846,GET /data/m/whiplash+2014/40.mpg
2023-10-25T07:20:57,3525,GET /data/m/seven+samurai+1954/79.mpg
2023-10-25T07:20:57,10536,GET /data/m/the+best+intentions+1992/39.mpg
2023-10-25T07:20:57,101577,GET /data/m/harry+potter+and+the+deathly+hallows+part+1+2010/101.mpg
2025-10-17T01:38:54,220358,GET /data/m/padre+nuestro+2007/90.mpg
2023-03-20T08:13,722141,GET /data/m/schindlers+list+1993/154.mpg
2022-03-18T06:12:47,326332,GET /data/m/ghostbusters+1984/54.mpg
2026-02-14T00:09:20.426,219411,GET /data/m/escape+to+athena+1979/73.mpg
2020-06-25T13:44:14,601844,GET /data/m/goyas+ghosts+2006/17.mpg""".splitlines()

REAL_RATINGS = b"""\
2023-09-28T20:20:23,303668,GET /rate/how+to+train+your+dragon+2+2014=4
2023-09-28T20:20:23,315680,GET /rate/the+gallant+hours+1960=4
2023-09-28T20:20:23,65458,GET /rate/monty+python+and+the+holy+grail+1975=5
2023-09-28T20:20:24,120136,GET /rate/a+woman+is+a+woman+1961=4
2023-09-28T20:20:24,172919,GET /rate/by+the+pricking+of+my+thumbs+2005=4
2023-09-28T20:20:25,79774,GET /rate/kingsman+the+secret+service+2015=4
2023-09-28T20:20:26,114195,GET /rate/alex+in+wonderland+1970=3
2023-09-28T20:20:28,279204,GET /rate/factotum+2005=3
2023-09-28T20:20:28,108963,GET /rate/schizopolis+1996=3
2023-09-28T20:20:28,59235,GET /rate/thunderbirds+are+go+1966=4
2023-09-28T20:20:28,241450,GET /rate/dhobi+ghat+2011=4
2023-09-28T20:20:29,186590,GET /rate/home+among+strangers_+a+stranger+among+his+own+1974=5
2023-09-28T20:20:29,246711,GET /rate/othello+1981=4
2023-09-28T20:20:29,112321,GET /rate/the+firemens+ball+1967=3
2023-09-28T20:20:30,189759,GET /rate/walkabout+1971=4
2023-09-28T20:20:30,194113,GET /rate/the+loving+story+2011=4
2023-09-28T20:20:30,261146,GET /rate/frozen+2013=4
2023-09-28T20:20:31,157099,GET /rate/gone+girl+2014=3
2023-09-28T20:20:32,340881,GET /rate/the+plough+and+the+stars+1936=4
2023-09-28T20:20:32,250229,GET /rate/alien+1979=4
2023-09-28T20:20:33,157715,GET /rate/botched+2007=3
2023-09-28T20:20:34,256132,GET /rate/on+the+beach+1959=4
2023-09-28T20:20:35,221013,GET /rate/high+society+1956=4
2023-09-28T20:20:35,20165,GET /rate/stonehearst+asylum+2014=5
2023-09-28T20:20:35,152537,GET /rate/ice+princess+2005=4
2023-09-28T20:20:35,153583,GET /rate/the+grand+seduction+2014=3
2023-09-28T20:20:35,223559,GET /rate/one+hundred+mornings+2009=3
2023-09-28T20:20:36,17427,GET /rate/in+their+sleep+2010=3
2023-09-28T20:20:36,181870,GET /rate/and+now+for+something+completely+different+1971=4
2023-09-28T20:20:36,296878,GET /rate/inception+2010=5
2019-09-05T19:27:01,118106,GET /rate/grumpier+old+men+1995=3
2022-10-06T01:31:18,230550,GET /rate/narc+2002=4""".splitlines()

REAL_REQUESTS = b"""\
2025-03-16T04:39:08.067535902,10025,recommendation request 17645-team08.isri.cmu.edu:8082, \
status 0, result: dispatch.StatusCode: Unexpected response status: 500, 5 ms
2022-02-08T18:06:56.145104,284507,recommendation request 17645-team17.isri.cmu.edu:8082, \
status 200, result: boxing+helena+1993, aliens+1986, airplane+1980, ben-hur+1959, 133 ms
2022-02-08T12:02:38.164729,141977,recommendation request 17645-team04.isri.cmu.edu:8082, \
status 200, result: mona+lisa+1986, the+good_+the+bad+and+the+ugly+1966, 89 ms
2024-10-25T03:15:41.160449866,262726,recommendation request 17645-team02.isri.cmu.edu:8082, \
status 200, result: earthlings+2005, you_+the+living+2007, the+leopard+1963, 75 ms
2025-10-17T01:33:45.122692921,227244,recommendation request 17645-team08.isri.cmu.edu:8082, \
status 200, result: the+hunger+games+mockingjay+-+part+1+2014, pulp+fiction+1994, 25 ms
2026-02-14T00:09:21.099,215124,recommendation request 17645-team05.isri.cmu.edu:8082, \
status 0, result: java.net.ConnectException: Connection refused, 1ms""".splitlines()


@pytest.mark.parametrize("line", REAL_WATCHES)
def test_real_watches_are_read(line):
    assert isinstance(parse(line), Watched)


@pytest.mark.parametrize("line", REAL_RATINGS)
def test_real_ratings_are_read(line):
    assert isinstance(parse(line), Rated)


@pytest.mark.parametrize("line", REAL_REQUESTS)
def test_real_requests_are_read(line):
    assert isinstance(parse(line), Requested)


@pytest.mark.parametrize("line", REAL_WATCHES + REAL_RATINGS)
def test_real_lines_are_written_back_as_they_were(line):
    assert format_line(parse(line)) == line


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"2022-03-28T04:00: 44,45314,GET /rate/my+left+foot+1989=4", Reason.BAD_TIME),
        (b"2024-13-35T25:61:61,12344,GET /data/m/high+society+1956/10.mpg", Reason.BAD_TIME),
        (b"2023-02-29T10:00,12344,GET /data/m/high+society+1956/10.mpg", Reason.BAD_TIME),
        (b"2023-02-28T24:00,12344,GET /data/m/high+society+1956/10.mpg", Reason.BAD_TIME),
        (b"2023-02-28T10:00123,12344,GET /data/m/high+society+1956/10.mpg", Reason.BAD_TIME),
        (b"2023-02-28T10:00:00123,12344,GET /data/m/high+society+1956/10.mpg", Reason.BAD_TIME),
        (b"this,is,a bad request", Reason.BAD_TIME),
        (b"", Reason.NO_LINE),
        (b"2022-10-25T21:33:41, 11833, GET /data/m/moab+2003/6x1.mpg", Reason.BAD_USER),
        (b"2022-10-25T21:33:41,-1,GET /create_account", Reason.BAD_USER),
        (b"2022-10-25T21:33:41,0123,GET /create_account", Reason.BAD_USER),
        (b"2022-10-25T21:33:41,9999999999999999999,GET /create_account", Reason.BAD_USER),
        (b"2024-10-24T06:33:38,12344,GET /data/m//55.mpg", Reason.BAD_MOVIE),
        (b"2024-10-24T06:33:38,12344,GET /data/m/Up+2009/55.mpg", Reason.BAD_MOVIE),
        (b"2024-10-24T06:33:38,12344,GET /data/m/up+2%009/55.mpg", None),
        (b"2024-10-24T06:33:38,12344,GET /data/m/up%+2009/55.mpg", Reason.BAD_MOVIE),
        (b"2022-10-25T21:33:41,11833,GET /data/m/moab+2003/6x1.mpg", Reason.BAD_MINUTE),
        (b"2023-03-20T08:13,722141,GET /data/m/schindlers+list+1993/,154.mpg", Reason.BAD_MINUTE),
        (b"2022-02-25T13:38:49,284507,GET /rate/audition+1999", Reason.BAD_RATING),
        (b"2024-10-26T01:59:46,504137,GET /rate/black+plague+2002=five", Reason.BAD_RATING),
        (b"2026-02-14T00:09:21,130276,GET /rate/daisies+1960=7", Reason.BAD_RATING),
        (b"2026-02-14T00:09:21,130276,GET /rate/daisies+1960=3.5", Reason.BAD_RATING),
        (b"2026-02-14T00:09:21,130276,GET /rate/daisies+1960=0", Reason.BAD_RATING),
        (b"2022-02-23T19:40:32,284507,GET data", Reason.UNKNOWN_KIND),
        (b"2022-02-23T19:40:32,284507,GET /data/mrichard+pryor+1982", Reason.UNKNOWN_KIND),
        (b"2023-03-20T08:12:57,1000001,GET /rate /titanic+1997=3", Reason.UNKNOWN_KIND),
        (b"2023-03-20T08:12:57,1,GET /create_accounts", Reason.UNKNOWN_KIND),
        (b"2022-02-08T18:06:56.1,284507,recommendation request 17645", Reason.BAD_REQUEST),
        (
            b"2026-02-14T00:09,1,recommendation request h, status 200, result: A b, 3 ms",
            Reason.BAD_MOVIE,
        ),
        (
            b"2026-02-14T00:09,1,recommendation request h, status 0, result: \xff, 3 ms",
            Reason.BAD_ENCODING,
        ),
        (
            b"2026-02-14T00:09,1,recommendation request h, status 0, result: \x00, 3 ms",
            Reason.BAD_ENCODING,
        ),
        (b"2026-02-14T00:09,1,GET /create_account\n\n", Reason.BAD_ENCODING),
        (b"2026-02-14T00:09,1,GET /create_account\r", Reason.BAD_ENCODING),
        (b"2026-02-14T00:09,0,GET /create_account", Reason.BAD_USER),
        (b"2026-02-14T00:09,1,GET /data/m/heat+1995", Reason.BAD_MINUTE),
        (b"2026-02-14T00:09,1,GET /data/m/", Reason.BAD_MOVIE),
        (b"2026-02-14T00:09+25:00,1,GET /create_account", Reason.BAD_TIME),
        (b"0001-01-01T00:09+01:00,1,GET /create_account", Reason.BAD_TIME),
        (b"2026-02-14T00:09z,1,GET /create_account", Reason.BAD_TIME),
        (b"\xfe\xff", Reason.BAD_ENCODING),
        (b"2026-02-14T00:09,1,GET /create_account" + b" " * MAX_LINE_BYTES, Reason.OVER_LONG),
    ],
)
def test_damaged_lines_are_refused_for_their_first_fault(line, reason):
    outcome = parse(line)
    assert (outcome.reason if isinstance(outcome, Rejected) else None) == reason


def test_a_refused_line_keeps_its_bytes():
    assert parse(b"\xfe\xff") == Rejected(Reason.BAD_ENCODING, b"\xfe\xff")


def test_nine_digits_of_a_second_are_cut_to_six():
    line = b"2025-03-16T04:39:08.067535902,10025,GET /create_account"
    assert parse(line) == AccountCreated(at(2025, 3, 16, 4, 39, 8, 67535), 10025)


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_an_ending_is_no_part_of_a_line(ending):
    line = b"2026-02-14T00:09,1,GET /create_account"
    assert parse(line + ending) == parse(line)


@pytest.mark.parametrize(
    ("zone", "hours"), [(b"Z", 0), (b"+00:00", 0), (b"+05:30", -5.5), (b"-0800", 8), (b"+01", -1)]
)
@pytest.mark.parametrize("seconds", [b"", b":30", b":30.123456789"])
def test_a_time_with_a_zone_is_converted_to_utc(seconds, zone, hours):
    line = b"2026-02-14T00:09%b%b,1,GET /create_account"
    without = parse(line % (seconds, b""))
    assert parse(line % (seconds, zone)).time == without.time + timedelta(hours=hours)
    assert parse(line % (seconds, zone)).time.tzinfo is UTC


def test_the_minute_of_a_line_is_told_in_utc_without_reading_all_of_it():
    assert utc_minute(b"2026-02-14T00:09:30,1,x") == b"2026-02-14T00:09"
    assert utc_minute(b"2026-02-14T00:09:30.5Z,1,x") == b"2026-02-14T00:09"
    assert utc_minute(b"2026-02-14T00:09:30.5+02:00,1,x") == b"2026-02-13T22:09"
    assert utc_minute(b"2026-02-14T00:09+99:00,1,x") == b""


def test_the_rating_scale_is_a_setting():
    line = b"2026-02-14T00:09:21,130276,GET /rate/please+dont+eat+the+daisies+1960=7"
    assert isinstance(parse(line, rating_scale(1, 10, 1)), Rated)


def test_half_stars_are_a_scale():
    assert rating_scale(0.5, 2, 0.5) == {0.5, 1.0, 1.5, 2.0}


def test_tenths_are_exact():
    assert rating_scale(0, 1, 0.1) == {float(f"0.{i}") for i in range(10)} | {1.0}


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (at(2023, 3, 20, 8, 13), "2023-03-20T08:13"),
        (at(2023, 3, 20, 8, 13, 5), "2023-03-20T08:13:05"),
        (at(2023, 3, 20, 8, 13, 0, 120000), "2023-03-20T08:13:00.120"),
        (at(2023, 3, 20, 8, 13, 5, 120001), "2023-03-20T08:13:05.120001"),
    ],
)
def test_times_are_written_as_the_stream_writes_them(time, text):
    assert format_time(time) == text


HALF_STARS = rating_scale(0.5, 5, 0.5)
times = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- hypothesis wants naive bounds
users = st.integers(1, 10**18 - 1)
movies = st.from_regex(r"([a-z0-9+._*-]|%[0-9A-Fa-f]{2}){1,40}", fullmatch=True)
printable = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=80)
answers = st.builds(
    Requested,
    time=times,
    user_id=users,
    server=st.from_regex(r"[a-z0-9.-]{1,20}:[0-9]{1,5}", fullmatch=True),
    status=st.just(200),
    movie_ids=st.lists(movies, max_size=20).map(tuple),
    error=st.none(),
    response_ms=st.integers(0, 10**9 - 1),
)
failures = st.builds(
    Requested,
    time=times,
    user_id=users,
    server=st.from_regex(r"[a-z0-9.-]{1,20}:[0-9]{1,5}", fullmatch=True),
    status=st.integers(0, 999).filter(lambda status: status != 200),
    movie_ids=st.just(()),
    error=printable,
    response_ms=st.integers(0, 10**9 - 1),
)
events = st.one_of(
    st.builds(Watched, times, users, movies, st.integers(0, 9999)),
    st.builds(Rated, times, users, movies, st.sampled_from(sorted(HALF_STARS))),
    st.builds(AccountCreated, times, users),
    answers,
    failures,
)


@given(events)
def test_parsing_is_the_inverse_of_formatting(event):
    assert parse(format_line(event), HALF_STARS) == event


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value(line):
    parse(line)


@given(events, st.integers(0, 2000), st.characters())
def test_a_line_with_one_character_inserted_gives_a_value(event, place, character):
    line = format_line(event).decode()
    damaged = line[:place] + character + line[place:]
    parse(damaged.encode(errors="surrogatepass"))

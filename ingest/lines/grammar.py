"""The language of the stream: a line of bytes to a typed value, and back.

Pure, and total: any bytes give a value; what is not understood is `Rejected`, with the
reason. `format_line` is the inverse of `parse` on every event. `KINDS` declares the kinds of
lines: from it follow what is parsed, the columns that are written and how long they are kept,
the audit's terms, and what the simulator counts.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, assert_never

MAX_LINE_BYTES: Final = 4096
"""A request with 20 long ids has some 1,500 bytes; longer than this is no line of ours."""

MAX_MOVIE_BYTES: Final = 1024
"""Enough for 300 percent-encoded letters, and what a key of PostgreSQL's (2,704 bytes) can hold."""

MINUTE_BYTES: Final = len("2023-10-25T07:20")


class Reason(StrEnum):
    """Why a line is no event."""

    BAD_ENCODING = "bad_encoding"
    UNKNOWN_KIND = "unknown_kind"
    BAD_TIME = "bad_time"
    BAD_USER = "bad_user"
    BAD_MOVIE = "bad_movie"
    BAD_MINUTE = "bad_minute"
    BAD_RATING = "bad_rating"
    BAD_REQUEST = "bad_request"
    UNKNOWN_MOVIE = "unknown_movie"
    UNKNOWN_USER = "unknown_user"
    EXPIRED = "expired"
    FUTURE = "future"
    OVER_LONG = "over_long"
    NO_LINE = "no_line"


@dataclass(frozen=True, slots=True)
class Watched:
    """A minute of a movie was sent to a user."""

    time: datetime
    user_id: int
    movie_id: str
    minute: int


@dataclass(frozen=True, slots=True)
class Rated:
    """A user rated a movie."""

    time: datetime
    user_id: int
    movie_id: str
    rating: float


@dataclass(frozen=True, slots=True)
class Requested:
    """Recommendations were requested: answered (status 200, `error` None) or not."""

    time: datetime
    user_id: int
    server: str
    status: int
    movie_ids: tuple[str, ...]
    error: str | None
    response_ms: int


@dataclass(frozen=True, slots=True)
class AccountCreated:
    """A user's account was created."""

    time: datetime
    user_id: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that is no event."""

    reason: Reason
    raw: bytes


type Event = Watched | Rated | Requested | AccountCreated
type Line = Event | Rejected
type RatingScale = frozenset[float]


def rating_scale(lowest: float, highest: float, step: float) -> RatingScale:
    """Every rating from `lowest` to `highest` that stands on a step."""
    first, last, width = (Decimal(str(figure)) for figure in (lowest, highest, step))
    return frozenset(float(first + i * width) for i in range(int((last - first) / width) + 1))


ONE_TO_FIVE: Final = rating_scale(1, 5, 1)

MINUTE = rb"\d{4}-\d\d-\d\dT\d\d:\d\d"
SECONDS = rb":[0-5]\d(?:\.\d{1,9})?"
# PostgreSQL rounds what is finer than a microsecond, perhaps into the next partition
TO_THE_MICROSECOND = rb"(?P<seconds>(?::[0-5]\d(?P<fraction>\.\d{1,6})?)?)(?(fraction)\d{0,3})"
ZONE = rb"(?:Z|[+-]\d\d(?::?\d\d)?)"
USER = rb"[1-9]\d{0,17}"
ENCODED = rb"%[0-9A-Fa-f]{2}[a-z0-9+._*-]*"
MOVIE = rb"(?![A-Fa-z0-9+._*%%-]{%d})(?:[a-z0-9+._*-]+(?:%b)*|(?:%b)+)" % (
    MAX_MOVIE_BYTES + 1,
    ENCODED,
    ENCODED,
)
PRINTABLE = rb"[^\x00-\x1f\x7f]*"

HEAD = rb"(?P<minute>%b)%b(?P<zone>%b?),(?P<user>%b)," % (MINUTE, TO_THE_MICROSECOND, ZONE, USER)
WATCHED = re.compile(rb"%bGET /data/m/(?P<movie>%b)/(?P<watched>\d{1,4})\.mpg" % (HEAD, MOVIE))
RATED = re.compile(rb"%bGET /rate/(?P<movie>%b)=(?P<rating>\d+(?:\.\d+)?)" % (HEAD, MOVIE))
REQUESTED = re.compile(
    rb"%brecommendation request (?P<server>[^\s,\x00-\x1f\x7f]+), status (?P<status>\d{1,3}),"
    rb" result: (?P<result>%b), (?P<response>\d{1,9}) ?ms" % (HEAD, PRINTABLE)
)
ACCOUNT_CREATED = re.compile(rb"%bGET /create_account" % HEAD)

# A watched minute after its `MINUTE`, in UTC, with nothing to cut off before COPY takes it.
# Possessive: a line that does not match is given up at once. No slash before the slash: a movie
# is there.
WATCHED_REST = re.compile(
    rb"(?::[0-5]\d(?:\.\d{1,6}+)?+)?+Z?+,([1-9]\d{0,17}+),GET /data/m/"
    rb"([a-z0-9+._*-]*+(?:%[0-9A-Fa-f]{2}[a-z0-9+._*-]*+)*+)(?<!/)/\d{1,4}+\.mpg"
)

MINUTE_ONLY = re.compile(MINUTE)
TIME_ONLY = re.compile(rb"%b(?:%b)?%b?" % (MINUTE, SECONDS, ZONE))
OFFSET_REST = re.compile(rb"[^,]*[+-]\d\d(?::?\d\d)?,")
USER_ONLY = re.compile(USER)
MOVIE_ONLY = re.compile(MOVIE)
MOVIES_ONLY = re.compile(rb"(?:(?:%b)(?:, (?:%b))*)?" % (MOVIE, MOVIE))
PRINTABLE_ONLY = re.compile(PRINTABLE)


def parse(line: bytes, scale: RatingScale = ONE_TO_FIVE) -> Line:
    """Read one line; never raises.

    Times are aware and in UTC, cut to microseconds. Ratings off `scale` are rejected.
    """
    outcome = _read(without_ending(line), scale)
    return Rejected(outcome, line) if isinstance(outcome, Reason) else outcome


def without_ending(line: bytes) -> bytes:
    r"""The line without its `\n` or `\r\n`, which is no part of it."""
    return line[:-1].removesuffix(b"\r") if line.endswith(b"\n") else line


def utc_minute(line: bytes) -> bytes:
    """The minute that a line names, in UTC; some other bytes where it names none."""
    if not OFFSET_REST.match(line, MINUTE_BYTES):
        return line[:MINUTE_BYTES]
    time = parse_time(line.partition(b",")[0])
    return format_minute(time) if time else b""


def format_minute(time: datetime) -> bytes:
    """The minute of a time in UTC, as the stream writes it."""
    return time.isoformat()[:MINUTE_BYTES].encode()


def _read(line: bytes, scale: RatingScale) -> Event | Reason:
    if not 0 < len(line) <= MAX_LINE_BYTES:
        return Reason.OVER_LONG if line else Reason.NO_LINE
    for expression, build in READERS:
        if match := expression.fullmatch(line):
            time = parse_time(match["minute"] + match["seconds"] + match["zone"])
            return build(match, time, scale) if time else Reason.BAD_TIME
    return _why_no_kind(line)


def parse_time(text: bytes) -> datetime | None:
    """The time that `YYYY-MM-DDTHH:MM[:SS[.f]]` means in UTC; None where there is no such time.

    A zone may follow: `Z` or an offset. Without one it is UTC.
    """
    try:
        time = datetime.fromisoformat(text.decode())
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # an offset may lead out of all years
        return None


def _watched(match: re.Match[bytes], time: datetime, _scale: RatingScale) -> Watched:
    return Watched(time, int(match["user"]), match["movie"].decode(), int(match["watched"]))


def _rated(match: re.Match[bytes], time: datetime, scale: RatingScale) -> Rated | Reason:
    rating = float(match["rating"])
    if rating not in scale:
        return Reason.BAD_RATING
    return Rated(time, int(match["user"]), match["movie"].decode(), rating)


def _requested(match: re.Match[bytes], time: datetime, _scale: RatingScale) -> Requested | Reason:
    server, result = _text(match["server"]), _text(match["result"])
    if server is None or result is None:
        return Reason.BAD_ENCODING
    asked = (time, int(match["user"]), server, int(match["status"]))
    response_ms = int(match["response"])
    if int(match["status"]) != ANSWERED:
        return Requested(*asked, (), result, response_ms)
    if not MOVIES_ONLY.fullmatch(match["result"]):
        return Reason.BAD_MOVIE
    return Requested(*asked, tuple(result.split(", ")) if result else (), None, response_ms)


def _account_created(match: re.Match[bytes], time: datetime, _scale: RatingScale) -> AccountCreated:
    return AccountCreated(time, int(match["user"]))


ANSWERED: Final = 200

type Build = Callable[[re.Match[bytes], datetime, RatingScale], Event | Reason]


@dataclass(frozen=True)
class Kind:
    """One kind of line: how it is read, and what becomes of it."""

    name: str
    """What the simulator counts it as."""
    event: type[Event]
    """Its fields are the table's own columns, in this order; the first is `time`."""
    expression: re.Pattern[bytes]
    build: Build
    table: str
    term: str
    """Its column in the audit."""
    long_lived: bool
    """Whether its rows are kept for the longer time to live."""
    judged: bool
    """Whether its rows stay until online evaluation has moved past them."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The table's own columns, those of the line's position left out."""
        return tuple(field.name for field in fields(self.event))


WATCH: Final = Kind(
    name="watch",
    event=Watched,
    expression=WATCHED,
    build=_watched,
    table="watch",
    term="watches",
    long_lived=False,
    judged=True,
)
RATING: Final = Kind(
    name="rate",
    event=Rated,
    expression=RATED,
    build=_rated,
    table="rating",
    term="ratings",
    long_lived=True,
    judged=True,
)
REQUEST: Final = Kind(
    name="request",
    event=Requested,
    expression=REQUESTED,
    build=_requested,
    table="recommendation_request",
    term="requests",
    long_lived=False,
    judged=True,
)
ACCOUNT: Final = Kind(
    name="account",
    event=AccountCreated,
    expression=ACCOUNT_CREATED,
    build=_account_created,
    table="account",
    term="accounts",
    long_lived=True,
    judged=False,
)
KINDS: Final = (WATCH, RATING, REQUEST, ACCOUNT)
"""Every kind of line, the most frequent first."""

READERS: Final = tuple((kind.expression, kind.build) for kind in KINDS)


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _why_no_kind(line: bytes) -> Reason:
    """The first part of the line, from the left, that is not as it should be."""
    if _text(line) is None or not PRINTABLE_ONLY.fullmatch(line):
        return Reason.BAD_ENCODING
    time, _, after_time = line.partition(b",")
    if not TIME_ONLY.fullmatch(time) or parse_time(time) is None:
        return Reason.BAD_TIME
    user, _, action = after_time.partition(b",")
    if not USER_ONLY.fullmatch(user):
        return Reason.BAD_USER
    return _why_no_action(action)


def _why_no_action(action: bytes) -> Reason:
    if action.startswith(b"GET /data/m/"):
        path = action.removeprefix(b"GET /data/m/")
        movie = path.rpartition(b"/")[0] if b"/" in path else path
        return Reason.BAD_MINUTE if MOVIE_ONLY.fullmatch(movie) else Reason.BAD_MOVIE
    if action.startswith(b"GET /rate/"):
        movie, _, _rating = action.removeprefix(b"GET /rate/").partition(b"=")
        return Reason.BAD_RATING if MOVIE_ONLY.fullmatch(movie) else Reason.BAD_MOVIE
    if action.startswith(b"recommendation request"):
        return Reason.BAD_REQUEST
    return Reason.UNKNOWN_KIND


def format_line(event: Event) -> bytes:
    """The line that `parse` reads as `event`."""
    return f"{format_time(event.time)},{event.user_id},{_action(event)}".encode()


def _action(event: Event) -> str:
    match event:
        case Watched():
            return f"GET /data/m/{event.movie_id}/{event.minute}.mpg"
        case Rated():
            return f"GET /rate/{event.movie_id}={event.rating:g}"
        case Requested():
            result = ", ".join(event.movie_ids) if event.error is None else event.error
            return (
                f"recommendation request {event.server}, status {event.status},"
                f" result: {result}, {event.response_ms} ms"
            )
        case AccountCreated():
            return "GET /create_account"
        case _:
            assert_never(event)


def format_time(time: datetime) -> str:
    """As the stream writes times: UTC without a zone, no zero seconds, 0, 3 or 6 digits."""
    time = time.astimezone(UTC).replace(tzinfo=None)
    if time.microsecond % 1000:
        return time.isoformat(timespec="microseconds")
    if time.microsecond:
        return time.isoformat(timespec="milliseconds")
    return time.isoformat(timespec="seconds" if time.second else "minutes")

"""A batch of lines as the text that COPY takes, for each table.

Pure. Nearly all lines are watched minutes: one expression says whether such a line is
whole, and then all of them become rows together, by replacing what stands between their
fields. All other lines are parsed into values first.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from ingest.deduplication.window import Duplicates, line_hash
from ingest.lines.admission import EVERY_ID, KnownIds, TimeVerdicts
from ingest.lines.grammar import (
    KINDS,
    MAX_LINE_BYTES,
    MAX_MOVIE_BYTES,
    MINUTE_BYTES,
    WATCH,
    WATCHED_REST,
    AccountCreated,
    Event,
    Rated,
    RatingScale,
    Reason,
    Rejected,
    Requested,
    Watched,
    format_minute,
    parse,
    utc_minute,
)
from ingest.lines.slices import Slice

TABLE_OF: Mapping[type[Event], str] = {kind.event: kind.table for kind in KINDS}

COLUMNS = {
    **{kind.table: f"{', '.join(kind.columns)}, log_partition, log_offset" for kind in KINDS},
    "reject": "landed_at, reason, raw, log_partition, log_offset",
    "duplicate": "landed_at, log_partition, log_offset, first_partition, first_offset",
    "offset_gap": "landed_at, log_partition, log_offset, offset_count",
}
"""The columns of each table, in the order in which rows are written."""

FIELDS_END = bytes.maketrans(b",/", b"\t\t")


@dataclass
class Rows:
    """COPY text of each table in pieces, how many rows that is, and why lines were rejected."""

    of: dict[str, list[bytes]] = field(default_factory=lambda: {table: [] for table in COLUMNS})
    count: Counter[str] = field(default_factory=Counter)
    rejected: Counter[Reason] = field(default_factory=Counter)

    def add(self, table: str, text: bytes, rows: int = 1) -> None:
        """Add that many rows to a table."""
        self.of[table].append(text)
        self.count[table] += rows

    def reject(self, reason: Reason, line: bytes, landed_at: bytes, position: bytes) -> None:
        """Add a row to `reject`."""
        self.rejected[reason] += 1
        raw = line[:MAX_LINE_BYTES].hex().encode()
        self.add("reject", b"%b\t%b\t\\\\x%b\t%b" % (landed_at, reason.encode(), raw, position))


@dataclass(frozen=True)
class Rules:
    """What decides whether a line that can be read is taken: its time, rating and ids."""

    verdicts: Mapping[str, TimeVerdicts]
    scale: RatingScale
    now: datetime
    ids: KnownIds = EVERY_ID


def encode(batch: Sequence[Slice], rules: Rules, duplicates: Duplicates) -> Rows:
    """Each line of the batch as exactly one row of one table, and each gap as one of its own.

    Raises:
        NoPartitionError: a line of the present fits no partition.
    """
    rows = Rows()
    landed_at = rules.now.isoformat().encode()
    for part in batch:
        for offset, line in _encode_watches(part, rules, duplicates, rows):
            _encode_other(line, b"%d\t%d\n" % (part.log_partition, offset), rules, rows)
        for gap in part.gaps:
            at = b"%d\t%d\t%d" % (part.log_partition, gap.start, len(gap))
            rows.add("offset_gap", b"%b\t%b\n" % (landed_at, at))
    for place, first in duplicates.items():
        rows.add("duplicate", b"%b\t%d\t%d\t%d\t%d\n" % (landed_at, *place, *first))
    return rows


def encode_keys(batch: Iterable[Slice], verdicts: TimeVerdicts, duplicates: Duplicates) -> bytes:
    """COPY text of line_key: a row for each line that has a time at which keys are kept."""
    return b"".join(
        b"%b\t%d\t%d\t%d\n" % (utc_minute(line), line_hash(line), part.log_partition, offset)
        for part in batch
        for offset, line in _numbered(part, duplicates)
        if verdicts[utc_minute(line)] is None
    )


def _numbered(part: Slice, duplicates: Duplicates) -> Iterable[tuple[int, bytes]]:
    """The lines that are no duplicates, with their offsets."""
    numbered = zip(part.offsets, part.lines, strict=True)
    if not duplicates:
        return numbered
    return ((at, line) for at, line in numbered if (part.log_partition, at) not in duplicates)


def _encode_watches(
    part: Slice, rules: Rules, duplicates: Duplicates, rows: Rows
) -> list[tuple[int, bytes]]:
    """Write the watched minutes that are taken; the other lines, with their offsets."""
    # the hot path: what is not looked up inside the loop is a third of its time
    watched = WATCHED_REST.fullmatch
    verdicts = rules.verdicts[WATCH.table]
    unknown = rules.ids.unknown if rules.ids.limited else None
    whole: list[bytes] = []
    others = []
    for offset, line in _numbered(part, duplicates):
        if (
            (match := watched(line, MINUTE_BYTES))
            and len(line) <= MAX_MOVIE_BYTES
            and verdicts[line[:MINUTE_BYTES]] is None
            and not (unknown and unknown(*match.groups()))
        ):
            whole.append(b"%b\t%d\n" % (line, offset))
        else:
            others.append((offset, line))
    if whole:
        rows.add(WATCH.table, _as_watches(b"".join(whole), part.log_partition), len(whole))
    return others


def _as_watches(lines: bytes, log_partition: int) -> bytes:
    """Whole lines of watched minutes, each with a tab and its offset, as rows of watch."""
    # no field can hold what is replaced: the expression lets no comma, slash or tab in
    ends = lines.replace(b".mpg\t", b"\t%d\t" % log_partition)
    return ends.replace(b",GET /data/m/", b"\t").translate(FIELDS_END)


def _encode_other(line: bytes, position: bytes, rules: Rules, rows: Rows) -> None:
    event = admit(line, rules)
    if isinstance(event, Rejected):
        rows.reject(event.reason, line, rules.now.isoformat().encode(), position)
    else:
        add_event(rows, event, position)


def admit(line: bytes, rules: Rules) -> Event | Rejected:
    """Read a line; one that can be read but is not taken is rejected, too."""
    event = parse(line, rules.scale)
    if isinstance(event, Rejected):
        return event
    verdict = rules.verdicts[TABLE_OF[type(event)]][format_minute(event.time)]
    reason = verdict or _unknown(event, rules.ids)
    return Rejected(reason, line) if reason else event


def _unknown(event: Event, ids: KnownIds) -> Reason | None:
    # an answer's movies are not asked about: wrong ones are our mistake, no damage to the line
    movie = event.movie_id.encode() if isinstance(event, Watched | Rated) else None
    return ids.unknown(b"%d" % event.user_id, movie)


def add_event(rows: Rows, event: Event, position: bytes) -> None:
    """Add an event to its table; `position` is the text of partition and offset, with a newline."""
    rows.add(TABLE_OF[type(event)], _fields(event) + position)


def _fields(event: Event) -> bytes:
    """An event's own columns, each followed by a tab."""
    time, user = event.time.isoformat(), event.user_id
    match event:
        case Watched(movie_id=movie, minute=minute):
            text = f"{time}\t{user}\t{movie}\t{minute}\t"
        case Rated(movie_id=movie, rating=rating):
            text = f"{time}\t{user}\t{movie}\t{rating:g}\t"
        case Requested():
            text = f"{time}\t{user}\t{_request_fields(event)}\t"
        case AccountCreated():
            text = f"{time}\t{user}\t"
        case _:
            assert_never(event)
    return text.encode()


def _request_fields(request: Requested) -> str:
    movies = ",".join(f'"{movie_id}"' for movie_id in request.movie_ids)
    error = "\\N" if request.error is None else _escaped(request.error)
    return (
        f"{_escaped(request.server)}\t{request.status}\t{{{movies}}}\t{error}"
        f"\t{request.response_ms}"
    )


def _escaped(text: str) -> str:
    # the parser lets no control character through, so COPY's only special one is left
    return text.replace("\\", "\\\\")

"""A batch of lines as the text that COPY takes, for each table.

Pure. Nearly all lines are watched minutes, so these go from bytes to bytes: no value,
no decoding, one expression a line. All others are parsed into values first.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ingest.admission import TimeVerdicts
from ingest.lines import (
    MAX_LINE_BYTES,
    WATCHED,
    AccountCreated,
    Event,
    Rated,
    RatingScale,
    Reason,
    Rejected,
    Requested,
    Watched,
    parse,
)

MINUTE_BYTES = len("2023-10-25T07:20")

COLUMNS = {
    "watch": "time, user_id, movie_id, minute, log_partition, log_offset",
    "rating": "time, user_id, movie_id, rating, log_partition, log_offset",
    "recommendation_request": "time, user_id, server, status, movie_ids, error, response_ms,"
    " log_partition, log_offset",
    "account": "time, user_id, log_partition, log_offset",
    "reject": "landed_at, reason, raw, log_partition, log_offset",
}
"""The columns of each table, in the order in which rows are written."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Lines of one Kafka partition at consecutive offsets; empty where no record is."""

    log_partition: int
    first_offset: int
    lines: Sequence[bytes]

    @property
    def next_offset(self) -> int:
        """The offset after the last line."""
        return self.first_offset + len(self.lines)


@dataclass
class Rows:
    """COPY text of each table, a row an element, and how many lines were refused and why."""

    of: dict[str, list[bytes]] = field(default_factory=lambda: {table: [] for table in COLUMNS})
    refused: Counter[Reason] = field(default_factory=Counter)

    def refuse(self, reason: Reason, line: bytes, landed_at: bytes, position: bytes) -> None:
        """Add a row to `reject`."""
        self.refused[reason] += 1
        raw = line[:MAX_LINE_BYTES].hex().encode()
        self.of["reject"].append(
            b"%b\t%b\t\\\\x%b\t%b" % (landed_at, reason.encode(), raw, position)
        )


@dataclass(frozen=True)
class Rules:
    """What decides whether a line that can be read is taken: its time and its rating."""

    verdicts: Mapping[str, TimeVerdicts]
    scale: RatingScale
    now: datetime


def encode(batch: Sequence[Slice], rules: Rules) -> Rows:
    """Each line of the batch as exactly one row of one table.

    Raises:
        NoPartitionError: a line of the present fits no partition.
    """
    rows = Rows()
    for part in batch:
        for offset, line in _encode_watches(part, rules, rows):
            _encode_other(line, b"%d\t%d\n" % (part.log_partition, offset), rules, rows)
    return rows


def _encode_watches(part: Slice, rules: Rules, rows: Rows) -> list[tuple[int, bytes]]:
    """Write the watched minutes that are taken; the other lines, with their offsets."""
    # the hot path: what is not looked up inside the loop is a third of its time
    watched = WATCHED.fullmatch
    verdicts = rules.verdicts["watch"]
    append = rows.of["watch"].append
    log_partition = part.log_partition
    others = []
    for offset, line in enumerate(part.lines, part.first_offset):
        if (match := watched(line)) and len(line) <= MAX_LINE_BYTES:
            minute, seconds, _, user, movie, of_movie = match.groups()
            if verdicts[minute] is None:
                append(
                    b"%b%b\t%b\t%b\t%b\t%d\t%d\n"
                    % (minute, seconds, user, movie, of_movie, log_partition, offset)
                )
                continue
        others.append((offset, line))
    return others


def _encode_other(line: bytes, position: bytes, rules: Rules, rows: Rows) -> None:
    event = parse(line, rules.scale)
    if not isinstance(event, Rejected):
        table = TABLE_OF[type(event)]
        verdict = rules.verdicts[table][line[:MINUTE_BYTES]]
        if verdict is None:
            rows.of[table].append(_fields(event) + position)
            return
        event = Rejected(verdict, line)
    rows.refuse(event.reason, line, rules.now.isoformat().encode(), position)


TABLE_OF: dict[type[Event], str] = {
    Watched: "watch",
    Rated: "rating",
    Requested: "recommendation_request",
    AccountCreated: "account",
}


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

"""A stream played into a database: rows as ingest lands them and receipts as slots store them."""

import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg

from ingest.lines import grammar

NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)
START = (NOW - timedelta(hours=4)).replace(minute=0, second=0)
"""Minute 0 of a played stream."""


def at(minute: float) -> datetime:
    return START + minute * MINUTE


@dataclass(frozen=True)
class Answer:
    minute: float
    user: int
    movies: tuple[str, ...]
    version: str = "v1"
    reason: str = "model"
    bucket: int = 0
    id: uuid.UUID = field(default_factory=uuid.uuid4)


@dataclass(frozen=True)
class Watched:
    minute: float
    user: int
    movie: str


@dataclass(frozen=True)
class Rated:
    minute: float
    user: int
    movie: str
    stars: float


@dataclass(frozen=True)
class Asked:
    minute: float
    user: int
    movies: tuple[str, ...] = ()
    status: int = 200
    milliseconds: int = 20


Line = Watched | Rated | Asked


class PlayedStream:
    """Hands rows to the database in the order in which its methods are called."""

    def __init__(self, owner: psycopg.Connection) -> None:
        self._owner = owner
        self._next: Counter[int] = Counter()

    def store(self, *answers: Answer) -> None:
        """As a slot does: some receipts in one transaction."""
        with self._owner.transaction():
            for one in answers:
                self._owner.execute(
                    "INSERT INTO receipt (receipt_id, time, user_id, movie_ids, model_version,"
                    " slot, bucket, arm, reason, latency_ms)"
                    " VALUES (%s, %s, %s, %s, %s, 'blue', %s, 'control', %s, 1)",
                    (
                        *(one.id, at(one.minute), one.user, list(one.movies)),
                        *(one.version, one.bucket, one.reason),
                    ),
                )

    def land(self, *lines: Line, partition: int = 0, landed_at: datetime = NOW) -> None:
        """As ingest does: some lines and where the partition ends now, in one transaction."""
        with self._owner.transaction():
            for line in lines:
                self._insert(line, partition, self._next[partition])
                self._next[partition] += 1
            self._owner.execute(
                "INSERT INTO stream_offset VALUES ('log', %(partition)s, 0, %(next)s, %(at)s)"
                " ON CONFLICT (topic, log_partition) DO UPDATE"
                " SET next_offset = excluded.next_offset, updated_at = excluded.updated_at",
                {"partition": partition, "next": self._next[partition], "at": landed_at},
            )

    def refuse(self, line: Watched) -> None:
        """As ingest does with a line that it cannot read yet: it keeps its bytes and its offset."""
        event = grammar.Watched(at(line.minute), line.user, line.movie, 1)
        self._owner.execute(
            "INSERT INTO reject VALUES (now(), 'bad_time', %s, 0, %s)",
            (grammar.format_line(event), self._next[0]),
        )
        self._next[0] += 1

    def pass_by(self, minute: float, partition: int = 0, landed_at: datetime = NOW) -> None:
        """Let the stream move on to a minute, by what somebody does whom nobody answered."""
        # the median of so many lines says how far it is
        lines = [Watched(minute, -1, "other")] * 100
        self.land(*lines, partition=partition, landed_at=landed_at)

    def _insert(self, line: Line, partition: int, offset: int) -> None:
        place = (partition, offset)
        match line:
            case Watched(minute, user, movie):
                statement = "INSERT INTO watch VALUES (%s, %s, %s, 1, %s, %s)"
                values: tuple[object, ...] = (at(minute), user, movie, *place)
            case Rated(minute, user, movie, stars):
                statement = "INSERT INTO rating VALUES (%s, %s, %s, %s, %s, %s)"
                values = (at(minute), user, movie, stars, *place)
            case Asked(minute, user, movies, status, milliseconds):
                statement = (
                    "INSERT INTO recommendation_request"
                    " VALUES (%s, %s, 'here:8082', %s, %s, NULL, %s, %s, %s)"
                )
                values = (at(minute), user, status, list(movies), milliseconds, *place)
        self._owner.execute(statement.encode(), values)


Credits = dict[tuple[uuid.UUID, str], tuple[int, int, float]]
"""Minutes, ratings and their sum by answer and movie."""


def minutes_credited(owner: psycopg.Connection) -> dict[uuid.UUID, int]:
    """What evaluation gave each answer that it gave any minute."""
    return dict(
        owner.execute(
            "SELECT receipt_id, sum(minutes) FROM answer_credit WHERE minutes <> 0 GROUP BY 1"
        ).fetchall()
    )


def credits_by_hand(answers: list[Answer], lines: list[Line], horizon: float) -> Credits:
    """Who gets what, as the documentation says it: one event after the other."""
    found: defaultdict[tuple[uuid.UUID, str], list[float]] = defaultdict(lambda: [0, 0, 0.0])
    for line in lines:
        if isinstance(line, Asked):
            continue
        claims = [
            answer
            for answer in answers
            if answer.user == line.user
            and line.movie in answer.movies
            and answer.minute <= line.minute < answer.minute + horizon
        ]
        if claims:
            latest = max(claims, key=lambda answer: (answer.minute, answer.id))
            credit = found[latest.id, line.movie]
            credit[0] += isinstance(line, Watched)
            if isinstance(line, Rated):
                credit[1] += 1
                credit[2] += line.stars
    return {key: (int(m), int(r), s) for key, (m, r, s) in found.items()}


def segment_by_hand(answer: Answer, lines: list[Line], heavy: int) -> str:
    """How well a person was known at an answer."""
    known = {
        line.movie
        for line in lines
        if not isinstance(line, Asked) and line.user == answer.user and line.minute < answer.minute
    }
    return "new" if not known else "light" if len(known) < heavy else "heavy"

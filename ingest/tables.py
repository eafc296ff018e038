"""The tables that ingest fills and retention empties, and the one metadata all tables share.

Event tables are partitioned by time and owned by the role `retention`, which alone
may make and drop their partitions. Every row says where in the stream its line stood.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY

from ingest.lines.grammar import KINDS

metadata = MetaData()

TIME = DateTime(timezone=True)


def _column(name: str, kind: Any, comment: str, **options: Any) -> Column[Any]:
    return Column(name, kind, comment=comment, **{"nullable": False, **options})


def _position() -> list[Column[Any]]:
    return [
        _column("log_partition", SmallInteger, "Kafka partition the line was read from"),
        _column("log_offset", BigInteger, "offset of the line in its Kafka partition"),
    ]


@dataclass(frozen=True)
class EventTable:
    """A table partitioned by a time column, and what must be over before its rows may go.

    A row's events end at most `reach` after its time. Rows that are `judged` stay until
    online evaluation has moved past them, however old they are.
    """

    name: str
    time_column: str
    long_lived: bool
    judged: bool
    reach: timedelta = timedelta(0)


EVENT_TABLES = (
    *(
        EventTable(kind.table, "time", long_lived=kind.long_lived, judged=kind.judged)
        for kind in KINDS
    ),
    EventTable("reject", "landed_at", long_lived=False, judged=False),
    EventTable("duplicate", "landed_at", long_lived=False, judged=False),
    EventTable("offset_gap", "landed_at", long_lived=False, judged=False),
    EventTable("line_key", "time", long_lived=False, judged=False),
    EventTable("viewing", "day", long_lived=True, judged=False, reach=timedelta(days=1)),
    EventTable("receipt", "time", long_lived=False, judged=True),
)
"""Every partitioned table; `receipt` is the recommender's, but expires by the same rule."""


def _event_table(name: str, time_column: str, *columns: Column[Any], comment: str) -> Table:
    table = Table(
        name,
        metadata,
        *columns,
        comment=comment,
        postgresql_partition_by=f"RANGE ({time_column})",
    )
    if "log_offset" in table.c:
        Index(
            f"{name}_log_offset",
            table.c.log_offset,
            postgresql_using="brin",
            postgresql_with={"autosummarize": "on", "pages_per_range": 16},
        )
    return table


watch = _event_table(
    "watch",
    "time",
    _column("time", TIME, "when the minute was requested, UTC"),
    _column("user_id", BigInteger, "who watched"),
    _column("movie_id", Text, "what was watched"),
    _column("minute", SmallInteger, "which minute of the movie"),
    *_position(),
    comment="One minute of a movie sent to a user",
)
rating = _event_table(
    "rating",
    "time",
    _column("time", TIME, "when the rating was given, UTC"),
    _column("user_id", BigInteger, "who rated"),
    _column("movie_id", Text, "what was rated"),
    _column("rating", REAL, "the rating, on the stream's scale"),
    *_position(),
    comment="A rating a user gave a movie",
)
recommendation_request = _event_table(
    "recommendation_request",
    "time",
    _column("time", TIME, "when the answer came or was given up on, UTC"),
    _column("user_id", BigInteger, "for whom recommendations were requested"),
    _column("server", Text, "host and port that was asked"),
    _column("status", SmallInteger, "HTTP status; 0 when no answer came"),
    _column("movie_ids", ARRAY(Text), "the movies in the answer, best first; empty on failure"),
    _column("error", Text, "why the request failed", nullable=True),
    _column("response_ms", Integer, "time to the answer, milliseconds"),
    *_position(),
    comment="A recommendation request as the caller logged it",
)
Index(
    "recommendation_request_time",
    recommendation_request.c.time,
    postgresql_using="brin",
    postgresql_with={"autosummarize": "on", "pages_per_range": 16},
)
account = _event_table(
    "account",
    "time",
    _column("time", TIME, "when the account was created, UTC"),
    _column("user_id", BigInteger, "whose account"),
    *_position(),
    comment="The creation of a user's account",
)
reject = _event_table(
    "reject",
    "landed_at",
    _column("landed_at", TIME, "when the line was refused"),
    _column("reason", Text, "why the line was refused, one word from ingest.lines.Reason"),
    _column("raw", LargeBinary, "the bytes of the line, cut to 4 KiB"),
    *_position(),
    comment="A line that is no event, and why",
)
duplicate = _event_table(
    "duplicate",
    "landed_at",
    _column("landed_at", TIME, "when the doubled line was dropped"),
    *_position(),
    _column("first_partition", SmallInteger, "Kafka partition where the same line stood before"),
    _column("first_offset", BigInteger, "offset there; that line is the one that was kept"),
    comment="A line that was dropped because the stream had held the very same line shortly before",
)
offset_gap = _event_table(
    "offset_gap",
    "landed_at",
    _column("landed_at", TIME, "when the offsets were passed over"),
    _column("log_partition", SmallInteger, "Kafka partition"),
    _column("log_offset", BigInteger, "the first of the offsets in its Kafka partition"),
    _column("offset_count", BigInteger, "how many offsets from there on have no record"),
    comment="Offsets of no line: a transaction ended or was aborted, or a topic was compacted",
)
line_key = _event_table(
    "line_key",
    "time",
    _column("time", TIME, "minute that the line names, UTC", primary_key=True),
    _column("line_hash", BigInteger, "64 bits of BLAKE2b over the line's bytes", primary_key=True),
    _column("first_partition", SmallInteger, "Kafka partition of the line that was kept"),
    _column("first_offset", BigInteger, "offset of the line that was kept"),
    comment="One key a line, to find doubles across Kafka partitions; empty where that is off",
)
viewing = _event_table(
    "viewing",
    "day",
    _column("day", TIME, "midnight UTC of the day", primary_key=True),
    _column("user_id", BigInteger, "who watched", primary_key=True),
    _column("movie_id", Text, "what was watched", primary_key=True),
    _column("minutes", Integer, "minutes sent to the user on that day"),
    _column("furthest_minute", SmallInteger, "the furthest minute of the movie that was sent"),
    _column("first_watched", TIME, "when the first of these minutes was sent"),
    _column("last_watched", TIME, "when the last of these minutes was sent"),
    comment="Watched minutes, summed for each user, movie and day",
)

stream_offset = Table(
    "stream_offset",
    metadata,
    _column("topic", Text, "Kafka topic", primary_key=True),
    _column("log_partition", SmallInteger, "Kafka partition", primary_key=True),
    _column("first_offset", BigInteger, "the first offset that was ever consumed"),
    _column("next_offset", BigInteger, "the next offset to consume"),
    _column("updated_at", TIME, "when the last batch landed", server_default=func.now()),
    _column(
        "topic_id",
        Text,
        "Kafka's id of the topic, another one when it is made anew; empty where Kafka has none",
        server_default="",
    ),
    _column("last_offset", BigInteger, "where the last line that landed is stored", nullable=True),
    _column("last_line_hash", BigInteger, "64 bits of BLAKE2b over that line", nullable=True),
    _column(
        "last_leader_epoch",
        Integer,
        "Kafka's leader epoch under which that line was written; null where it has none",
        nullable=True,
    ),
    comment="How far each partition of the stream is consumed; written with the rows themselves",
)
stream_loss = Table(
    "stream_loss",
    metadata,
    _column("log_partition", SmallInteger, "Kafka partition", primary_key=True),
    _column("from_offset", BigInteger, "the first offset that was lost", primary_key=True),
    _column("to_offset", BigInteger, "the first offset after the loss"),
    _column("accepted_at", TIME, "when a person accepted it", server_default=func.now()),
    _column("reason", Text, "why, as that person wrote it"),
    comment="Lines that the broker had lost before they were read, and that somebody gave up",
)
reprocessed_lines = Table(
    "reprocessed_lines",
    metadata,
    _column("log_partition", SmallInteger, "Kafka partition", primary_key=True),
    _column("from_offset", BigInteger, "offset of the first line", primary_key=True),
    _column("to_offset", BigInteger, "offset past the last line"),
    comment="Lines that were refused, landed later at their old offsets, and are not evaluated yet",
)
stream_renewal = Table(
    "stream_renewal",
    metadata,
    _column("topic_id", Text, "Kafka's id of the topic", primary_key=True),
    _column("log_partition", SmallInteger, "Kafka partition", primary_key=True),
    _column(
        "from_offset",
        BigInteger,
        "the first stored offset with this shift",
        primary_key=True,
        server_default="0",
    ),
    _column("offset_shift", BigInteger, "stored offset less offset at the broker"),
    _column("accepted_at", TIME, "when a person accepted it", server_default=func.now()),
    _column("reason", Text, "why, as that person wrote it"),
    comment="Topics made anew and logs that went back: new lines are numbered after the old ones",
)
ingest_audit = Table(
    "ingest_audit",
    metadata,
    _column("audited_at", TIME, "when the tables were counted", primary_key=True),
    _column("log_partition", SmallInteger, "Kafka partition", primary_key=True),
    _column("scope", Text, "full: all there is; incremental: what came since a balanced audit"),
    _column("first_offset", BigInteger, "the first offset that was looked at"),
    _column("next_offset", BigInteger, "the next offset to consume"),
    _column("consumed", BigInteger, "offsets consumed: next_offset - first_offset"),
    *(_column(kind.term, BigInteger, f"rows in {kind.table}") for kind in KINDS),
    _column("rejects", BigInteger, "rows in reject"),
    _column("duplicates", BigInteger, "rows in duplicate"),
    _column("gaps", BigInteger, "offsets without a record, in offset_gap", server_default="0"),
    _column("lost", BigInteger, "offsets in stream_loss"),
    _column("dropped", BigInteger, "rows in partitions that retention dropped, as counted then"),
    _column(
        "offset_error",
        Numeric,
        "sum of the offsets consumed less the sum found; not 0 if one is missing, another double",
    ),
    _column("balanced", Boolean, "whether each consumed offset is accounted for once"),
    comment="Each audit of what was consumed against what is there, term by term",
)
dropped_partition = Table(
    "dropped_partition",
    metadata,
    _column("partition_name", Text, "the partition's name", primary_key=True),
    _column("relation", Text, "the table it belonged to"),
    _column("lower_bound", TIME, "earliest time it could hold"),
    _column("upper_bound", TIME, "first time past what it could hold"),
    _column("decided_at", TIME, "when it was decided to drop it"),
    _column("dropped_at", TIME, "when it was gone; null while only decided", nullable=True),
    _column("reason", Text, "why it was dropped"),
    comment="Partitions that retention dropped: first the intent, then the deed",
)
dropped_rows = Table(
    "dropped_rows",
    metadata,
    Column(
        "partition_name",
        Text,
        ForeignKey("dropped_partition.partition_name"),
        primary_key=True,
        comment="the dropped partition",
    ),
    _column("log_partition", SmallInteger, "Kafka partition of the rows", primary_key=True),
    _column("row_count", BigInteger, "how many rows went with it"),
    _column("offset_sum", Numeric, "sum of the offsets of these rows"),
    _column("last_offset", BigInteger, "the greatest offset of these rows"),
    comment="How many lines of each Kafka partition went with a dropped partition",
)
retention_plan = Table(
    "retention_plan",
    metadata,
    _column("partition_name", Text, "the partition's name", primary_key=True),
    _column("relation", Text, "the table it belongs to"),
    _column("lower_bound", TIME, "earliest time it can hold"),
    _column("upper_bound", TIME, "first time past what it can hold"),
    _column("expires_at", TIME, "when it is past its time to live"),
    _column("bytes", BigInteger, "its size on disk, indexes included"),
    _column("drops", Boolean, "whether the last pass meant to drop it"),
    _column("reason", Text, "why it goes, or why it stays"),
    _column("planned_at", TIME, "when this was decided"),
    comment="What the last pass of retention decided on each partition there was",
)
retention_lease = Table(
    "retention_lease",
    metadata,
    _column("owner", Text, "who still needs the rows", primary_key=True),
    _column("reason", Text, "what for"),
    _column("held_from", TIME, "rows at or after this time must stay (the watermark)"),
    _column("updated_at", TIME, "when the owner last moved it", server_default=func.now()),
    comment="Up to where the rows are still needed; retention drops nothing past the earliest",
)
viewing_progress = Table(
    "viewing_progress",
    metadata,
    _column("log_partition", SmallInteger, "Kafka partition", primary_key=True),
    _column("next_offset", BigInteger, "the next offset to roll up"),
    comment="How far watch is rolled up into viewing",
)
catalogue_progress = Table(
    "catalogue_progress",
    metadata,
    _column("log_partition", SmallInteger, "Kafka partition", primary_key=True),
    _column("next_offset", BigInteger, "the next offset to look at"),
    comment="How far movies and users met in the stream are gathered into movie and app_user",
)
movie = Table(
    "movie",
    metadata,
    _column("movie_id", Text, "identifier in the stream", primary_key=True),
    _column("title", Text, "title, when the catalogue described it", nullable=True),
    _column("release_date", Date, "release date", nullable=True),
    _column("runtime", Integer, "minutes", nullable=True),
    _column("genres", ARRAY(Text), "genres", nullable=True),
    _column("first_seen", TIME, "when it was first met in the stream", server_default=func.now()),
    _column("described_at", TIME, "when the catalogue was last asked", nullable=True),
    comment="Every movie met in the stream, with what the catalogue says of it",
)
app_user = Table(
    "app_user",
    metadata,
    _column(
        "user_id", BigInteger, "identifier in the stream", primary_key=True, autoincrement=False
    ),
    _column("age", SmallInteger, "years", nullable=True),
    _column("gender", Text, "as the catalogue says it", nullable=True),
    _column("occupation", Text, "as the catalogue says it", nullable=True),
    _column("first_seen", TIME, "when first met in the stream", server_default=func.now()),
    _column("described_at", TIME, "when the catalogue was last asked", nullable=True),
    comment="Every user met in the stream, with what the catalogue says of them",
)
job_log = Table(
    "job_log",
    metadata,
    Column("line_id", BigInteger, Identity(), primary_key=True, comment="order of the lines"),
    _column("job_id", BigInteger, "procrastinate_jobs.id", index=True),
    _column("at", TIME, "when it was said", server_default=func.now()),
    _column("message", Text, "progress, for people"),
    _column("done", REAL, "share of the job that is done then", nullable=True),
    comment="What each job said of its progress",
)

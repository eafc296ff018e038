"""The tables of online evaluation and of backups."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    Identity,
    Integer,
    Interval,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import UUID

from ingest.tables import metadata

TIME = DateTime(timezone=True)

online_metric = Table(
    "online_metric",
    metadata,
    Column("window_start", TIME, primary_key=True, comment="first answer time that counts"),
    Column("model_version", Text, primary_key=True, comment="the model judged; none: no slot"),
    Column("arm", Text, primary_key=True, comment="experiment arm; control outside of one"),
    Column(
        "reason",
        Text,
        primary_key=True,
        server_default="all",
        comment="answers with this reason alone, or all",
    ),
    Column(
        "segment",
        Text,
        primary_key=True,
        server_default="all",
        comment="answers to new, light or heavy users alone, or all",
    ),
    Column("metric", Text, primary_key=True, comment="what was measured"),
    Column("window_end", TIME, nullable=False, comment="first answer time past the window"),
    Column("value", Double, nullable=False, comment="the figure"),
    Column("low", Double, nullable=True, comment="lower end of its 95 % interval"),
    Column("high", Double, nullable=True, comment="upper end of its 95 % interval"),
    Column("variance", Double, nullable=True, comment="its squared standard error"),
    Column(
        "samples", BigInteger, nullable=False, comment="answers, ratings or requests it rests on"
    ),
    Column(
        "people",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="people these are of; 0 where people are not told apart",
    ),
    Column("computed_at", TIME, nullable=False, server_default=func.now(), comment="when"),
    comment="Figures of each model version from what people did after its answers, by window",
)
evaluation_progress = Table(
    "evaluation_progress",
    metadata,
    Column(
        "only_row",
        Boolean,
        CheckConstraint("only_row"),
        primary_key=True,
        server_default="true",
        comment="there is one row",
    ),
    Column("judged_from", TIME, nullable=False, comment="answers before it are not judged"),
    Column("width_since", TIME, nullable=False, comment="since when windows have this width"),
    Column("window_width", Interval, nullable=False, comment="answers so long are judged together"),
    Column(
        "horizon",
        Interval,
        nullable=False,
        comment="what a user does so long after an answer counts for it",
    ),
    Column("judged_until", TIME, nullable=False, comment="windows before it have figures"),
    Column("closed_until", TIME, nullable=False, comment="windows before it never change again"),
    Column(
        "receipts_seen",
        Text,
        nullable=True,
        comment="snapshot of transactions whose receipts are reckoned with; null before the first",
    ),
    comment="How far online evaluation has come",
)
evaluation_offset = Table(
    "evaluation_offset",
    metadata,
    Column(
        "log_partition",
        SmallInteger,
        primary_key=True,
        autoincrement=False,
        comment="Kafka partition",
    ),
    Column("next_offset", BigInteger, nullable=False, comment="the next offset to reckon with"),
    comment="How far what people did is credited to the answers before it",
)
evaluated_lines = Table(
    "evaluated_lines",
    metadata,
    Column(
        "log_partition",
        SmallInteger,
        primary_key=True,
        autoincrement=False,
        comment="Kafka partition",
    ),
    Column(
        "from_offset",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="offset of the first line",
    ),
    Column("to_offset", BigInteger, nullable=False, comment="offset past the last line"),
    Column("first_time", TIME, nullable=False, comment="earliest watch or rating in there"),
    Column("last_time", TIME, nullable=False, comment="latest watch or rating in there"),
    comment="Which times credited lines hold, to find them again when a receipt comes late",
)
answer_credit = Table(
    "answer_credit",
    metadata,
    Column("answered_at", TIME, primary_key=True, comment="receipt.time"),
    Column("receipt_id", UUID, primary_key=True, comment="the answer"),
    Column("movie_id", Text, primary_key=True, comment="a movie that it showed"),
    Column("place", SmallInteger, nullable=False, comment="where it stood in the list, from 1"),
    Column("minutes", Integer, nullable=False, comment="minutes the user watched of it since"),
    Column("ratings", Integer, nullable=False, comment="how often the user rated it since"),
    Column("rating_sum", Double, nullable=False, comment="sum of these ratings"),
    comment="What people did with what an answer showed, each minute and rating once; "
    "forgotten a horizon after the answer's window closed",
)
judged_window = Table(
    "judged_window",
    metadata,
    Column("window_start", TIME, primary_key=True, comment="first answer time that counts"),
    Column("window_end", TIME, nullable=False, comment="first answer time past the window"),
    Column("stale", Boolean, nullable=False, comment="something came late: judge it once more"),
    comment="Windows with figures that may still change",
)
person_movie = Table(
    "person_movie",
    metadata,
    Column("user_id", BigInteger, nullable=False, comment="the person"),
    Column("movie_id", Text, nullable=False, comment="a movie they watched or rated"),
    Column("first_time", TIME, nullable=False, comment="when they first did"),
    # the times are in the index, so that how well somebody was known is read there alone
    PrimaryKeyConstraint("user_id", "movie_id", postgresql_include=["first_time"]),
    comment="The first ten movies of each person, which say how well they were known when",
)
too_late = Table(
    "too_late",
    metadata,
    Column(
        "kind", Text, primary_key=True, comment="watch, rating, recommendation_request, receipt"
    ),
    Column("rows", BigInteger, nullable=False, comment="how many so far"),
    Column("last_at", TIME, nullable=False, comment="when the last of them was met"),
    comment="Rows that came so late that the figures they belong to no longer change",
)
backup = Table(
    "backup",
    metadata,
    Column("backup_id", BigInteger, Identity(), primary_key=True, comment="number"),
    Column(
        "ended_at", TIME, nullable=False, server_default=func.now(), comment="when it was whole"
    ),
    Column("directory", Text, nullable=False, comment="where it lies on the host"),
    Column("bytes", BigInteger, nullable=False, comment="how large it is"),
    comment="Backups that were made whole; the newest tells how old the last one is",
)

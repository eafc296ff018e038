"""The table of receipts: one row for each answer given."""

from sqlalchemy import REAL, BigInteger, Column, DateTime, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from ingest.tables import metadata

receipt = Table(
    "receipt",
    metadata,
    Column("receipt_id", UUID, nullable=False, comment="UUIDv7 of the answer"),
    Column("time", DateTime(timezone=True), nullable=False, comment="when it was given, UTC"),
    Column("user_id", BigInteger, nullable=False, comment="who was answered"),
    Column("movie_ids", ARRAY(Text), nullable=False, comment="the answer, best first"),
    Column("model_version", Text, nullable=False, comment="which model answered"),
    Column("slot", Text, nullable=False, comment="which slot answered: blue or green"),
    Column(
        "bucket", SmallInteger, nullable=False, comment="the user's bucket, 0 to 999; -1 unknown"
    ),
    Column("arm", Text, nullable=False, comment="experiment arm; control outside of one"),
    Column(
        "reason", Text, nullable=False, comment="how the list came about: model, fold_in, popular"
    ),
    Column("latency_ms", REAL, nullable=False, comment="time spent on the answer, milliseconds"),
    comment="One row for each answer: who got which list, from which model, and why",
    postgresql_partition_by="RANGE (time)",
)

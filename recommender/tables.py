"""The tables of receipts: one row for each answer given, and how far each spool is stored."""

from typing import Any

from sqlalchemy import (
    REAL,
    BigInteger,
    Column,
    DateTime,
    Index,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
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
    Column(
        "arm",
        Text,
        nullable=False,
        comment="interleaved, where the list was drafted from two versions; else control",
    ),
    Column(
        "reason",
        Text,
        nullable=False,
        comment="how the list came about: model, fold_in, people, lately or popular",
    ),
    Column("latency_ms", REAL, nullable=False, comment="time spent on the answer, milliseconds"),
    Column(
        "stored_in",
        BigInteger,
        nullable=True,
        server_default=text("(pg_current_xact_id()::text)::bigint"),
        comment="transaction that stored it, to follow what is new; null: before that was kept",
    ),
    Column(
        "interleaved_with",
        Text,
        nullable=True,
        comment="the second version that the list was drafted from; null: of one alone",
    ),
    Column(
        "origins",
        Text,
        nullable=True,
        comment="whose each movie is, a letter each: A only of model_version,"
        " B only of interleaved_with, = of both; null: of one alone",
    ),
    comment="One row for each answer: who got which list, from which model, and why",
    postgresql_partition_by="RANGE (time)",
)
BRIN: dict[str, Any] = {
    "postgresql_using": "brin",
    "postgresql_with": {"autosummarize": "on", "pages_per_range": 16},
}
Index("receipt_time", receipt.c.time, **BRIN)
Index("receipt_stored_in", receipt.c.stored_in, **BRIN)
Index("receipt_user", receipt.c.user_id, receipt.c.time)

receipt_spool = Table(
    "receipt_spool",
    metadata,
    Column("spool_id", UUID, primary_key=True, comment="names a spool; a lost volume gets another"),
    Column("slot", Text, nullable=False, comment="whose spool: blue or green"),
    Column(
        "position", BigInteger, nullable=False, comment="bytes of the spool that are in receipt"
    ),
    Column(
        "updated_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="when receipts were last stored",
    ),
    comment="How far each slot's spool of receipts is stored; moves with the receipts themselves",
)

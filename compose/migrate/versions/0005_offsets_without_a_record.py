"""Offsets without a record, accounted for as such."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision 0004 to this one."""
    op.create_table(
        "offset_gap",
        sa.Column(
            "landed_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when the offsets were passed over",
        ),
        sa.Column("log_partition", sa.SmallInteger(), nullable=False, comment="Kafka partition"),
        sa.Column(
            "log_offset",
            sa.BigInteger(),
            nullable=False,
            comment="the first of the offsets in its Kafka partition",
        ),
        sa.Column(
            "offset_count",
            sa.BigInteger(),
            nullable=False,
            comment="how many offsets from there on have no record",
        ),
        comment="Offsets of no line: a transaction ended or was aborted, or a topic was compacted",
        postgresql_partition_by="RANGE (landed_at)",
    )
    op.create_index(
        "offset_gap_log_offset",
        "offset_gap",
        ["log_offset"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on", "pages_per_range": 16},
    )
    op.add_column(
        "ingest_audit",
        sa.Column(
            "gaps",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="offsets without a record, in offset_gap",
        ),
    )

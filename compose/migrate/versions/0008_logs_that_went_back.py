"""Know the last line that landed again, and go on with a log that went back."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision 0007 to this one."""
    op.add_column(
        "stream_offset",
        sa.Column(
            "last_offset",
            sa.BigInteger(),
            nullable=True,
            comment="where the last line that landed is stored",
        ),
    )
    op.add_column(
        "stream_offset",
        sa.Column(
            "last_line_hash",
            sa.BigInteger(),
            nullable=True,
            comment="64 bits of BLAKE2b over that line",
        ),
    )
    op.add_column(
        "stream_offset",
        sa.Column(
            "last_leader_epoch",
            sa.Integer(),
            nullable=True,
            comment="Kafka's leader epoch under which that line was written; null where it has none",
        ),
    )
    op.add_column(
        "stream_renewal",
        sa.Column(
            "from_offset",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="the first stored offset with this shift",
        ),
    )
    op.drop_constraint("stream_renewal_pkey", "stream_renewal")
    op.create_primary_key(
        "stream_renewal_pkey", "stream_renewal", ["topic_id", "log_partition", "from_offset"]
    )
    op.alter_column("stream_renewal", "topic_id", comment="Kafka's id of the topic")
    op.alter_column(
        "stream_renewal", "offset_shift", comment="stored offset less offset at the broker"
    )
    op.create_table_comment(
        "stream_renewal",
        "Topics made anew and logs that went back: new lines are numbered after the old ones",
    )

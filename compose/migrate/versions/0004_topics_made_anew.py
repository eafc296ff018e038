"""Go on with a topic that was made anew."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision 0003 to this one."""
    op.create_table(
        "stream_renewal",
        sa.Column("topic_id", sa.Text(), nullable=False, comment="Kafka's id of the new topic"),
        sa.Column("log_partition", sa.SmallInteger(), nullable=False, comment="Kafka partition"),
        sa.Column(
            "offset_shift",
            sa.BigInteger(),
            nullable=False,
            comment="stored offset less offset in the new topic",
        ),
        sa.Column(
            "accepted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when a person accepted it",
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="why, as that person wrote it"),
        sa.PrimaryKeyConstraint("topic_id", "log_partition"),
        comment="Topics made anew under the same name; their lines are numbered after the old one's",
    )

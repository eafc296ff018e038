"""Keep how each step of Jenkins's pipelines last ended, so that somebody is alerted."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision 0017 to this one."""
    op.create_table(
        "pipeline_step",
        sa.Column("step", sa.Text(), nullable=False, comment="which step of Jenkins's pipelines"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False, comment="when it last ended"),
        sa.Column("failures", sa.BigInteger(), nullable=False, comment="how often it has failed since it last ended well"),
        sa.PrimaryKeyConstraint("step"),
        comment="How each step that Jenkins asks its helper for last ended",
    )

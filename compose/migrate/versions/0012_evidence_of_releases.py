"""Keep what releases were judged by, and why a version was rejected."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision 0011 to this one."""
    op.create_table(
        "gate_measurement",
        sa.Column("measurement_id", sa.BigInteger(), sa.Identity(always=False), nullable=False, comment="order"),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="when it was judged"),
        sa.Column("job_id", sa.BigInteger(), nullable=True, comment="procrastinate_jobs.id of the release"),
        sa.Column("version", sa.Text(), nullable=False, comment="the version that was judged"),
        sa.Column("share", sa.Integer(), nullable=False, comment="buckets of 1,000 it had"),
        sa.Column("evidence", sa.Text(), nullable=False, comment="live: people's requests; replayed: recent ones again"),
        sa.Column("metric", sa.Text(), nullable=False, comment="what was measured"),
        sa.Column("value", sa.Double(), nullable=False, comment="of the version"),
        sa.Column("live_value", sa.Double(), nullable=True, comment="of the live version, where it is compared"),
        sa.Column("bound", sa.Double(), nullable=True, comment="what it was held to, if to anything"),
        sa.Column("verdict", sa.Text(), nullable=False, comment="what all measurements of this look came to"),
        sa.Column("reason", sa.Text(), nullable=False, comment="why, in words"),
        sa.PrimaryKeyConstraint("measurement_id"),
        comment="Each measurement that a release was judged by",
    )
    op.create_table(
        "rejected_candidate",
        sa.Column("rejection_id", sa.BigInteger(), sa.Identity(always=False), nullable=False, comment="order"),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="when it was rejected"),
        sa.Column("job_id", sa.BigInteger(), nullable=True, comment="procrastinate_jobs.id of the release"),
        sa.Column("version", sa.Text(), nullable=False, comment="the version that was rejected"),
        sa.Column("slot", sa.Text(), nullable=False, comment="the slot that held it"),
        sa.Column("reason", sa.Text(), nullable=False, comment="why"),
        sa.Column("figures", postgresql.JSONB(), nullable=False, comment="the last measurement of each figure"),
        sa.Column("answers", postgresql.JSONB(), nullable=False, comment="replayed answers that differed most from the live version's"),
        sa.Column("log", postgresql.ARRAY(sa.Text()), nullable=False, comment="the last lines that its slot logged"),
        sa.PrimaryKeyConstraint("rejection_id"),
        comment="Versions that a release took back, each with its evidence",
    )
    op.add_column("deployment", sa.Column("evidence", sa.Text(), nullable=True, comment="what a verdict rests on: live or replayed; null of other steps"))
    op.execute("COMMENT ON COLUMN deployment.step IS 'start, place, ready, replay, shift, watch, promote, abort'")

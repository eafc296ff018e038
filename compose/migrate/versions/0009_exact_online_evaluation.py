"""Judge answers exactly and only once: credits, windows, how far; figures by reason and segment."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BRIN: dict[str, Any] = {"postgresql_using": "brin", "postgresql_with": {"autosummarize": "on"}}


def upgrade() -> None:
    """Go from revision 0008 to this one."""
    _follow_receipts()
    _widen_figures()
    _make_working_state()


def _follow_receipts() -> None:
    # in two steps: receipts that are there already are not rewritten, and have none
    op.add_column("receipt", sa.Column("stored_in", sa.BigInteger(), nullable=True, comment="transaction that stored it, to follow what is new; null: before that was kept"))
    op.alter_column("receipt", "stored_in", server_default=sa.text("(pg_current_xact_id()::text)::bigint"))
    op.drop_index("receipt_time", "receipt")
    op.create_index("receipt_time", "receipt", ["time"], **BRIN)
    op.create_index("receipt_stored_in", "receipt", ["stored_in"], **BRIN)
    op.create_index("receipt_user", "receipt", ["user_id", "time"])
    op.create_index("recommendation_request_time", "recommendation_request", ["time"], **BRIN)


def _widen_figures() -> None:
    op.alter_column("online_metric", "window_start", comment="first answer time that counts")
    op.alter_column("online_metric", "window_end", comment="first answer time past the window")
    op.alter_column("online_metric", "model_version", comment="the model judged; none: no slot")
    op.alter_column("online_metric", "samples", comment="answers, ratings or requests it rests on")
    op.add_column("online_metric", sa.Column("reason", sa.Text(), server_default="all", nullable=False, comment="answers with this reason alone, or all"))
    op.add_column("online_metric", sa.Column("segment", sa.Text(), server_default="all", nullable=False, comment="answers to new, light or heavy users alone, or all"))
    op.add_column("online_metric", sa.Column("low", sa.Double(), nullable=True, comment="lower end of its 95 % interval"))
    op.add_column("online_metric", sa.Column("high", sa.Double(), nullable=True, comment="upper end of its 95 % interval"))
    op.add_column("online_metric", sa.Column("variance", sa.Double(), nullable=True, comment="its squared standard error"))
    op.add_column("online_metric", sa.Column("people", sa.BigInteger(), server_default="0", nullable=False, comment="people these are of; 0 where people are not told apart"))
    op.drop_constraint("online_metric_pkey", "online_metric")
    op.create_primary_key("online_metric_pkey", "online_metric", ["window_start", "model_version", "arm", "reason", "segment", "metric"])
    op.create_table_comment("online_metric", "Figures of each model version from what people did after its answers, by window")


def _make_working_state() -> None:
    op.create_table(
        "evaluation_progress",
        sa.Column("only_row", sa.Boolean(), server_default="true", nullable=False, comment="there is one row"),
        sa.Column("judged_from", sa.DateTime(timezone=True), nullable=False, comment="answers before it are not judged"),
        sa.Column("width_since", sa.DateTime(timezone=True), nullable=False, comment="since when windows have this width"),
        sa.Column("window_width", sa.Interval(), nullable=False, comment="answers so long are judged together"),
        sa.Column("horizon", sa.Interval(), nullable=False, comment="what a user does so long after an answer counts for it"),
        sa.Column("judged_until", sa.DateTime(timezone=True), nullable=False, comment="windows before it have figures"),
        sa.Column("closed_until", sa.DateTime(timezone=True), nullable=False, comment="windows before it never change again"),
        sa.Column("receipts_seen", sa.Text(), nullable=True, comment="snapshot of transactions whose receipts are reckoned with; null before the first"),
        sa.CheckConstraint("only_row"),
        sa.PrimaryKeyConstraint("only_row"),
        comment="How far online evaluation has come",
    )
    op.create_table(
        "evaluation_offset",
        sa.Column("log_partition", sa.SmallInteger(), autoincrement=False, nullable=False, comment="Kafka partition"),
        sa.Column("next_offset", sa.BigInteger(), nullable=False, comment="the next offset to reckon with"),
        sa.PrimaryKeyConstraint("log_partition"),
        comment="How far what people did is credited to the answers before it",
    )
    op.create_table(
        "evaluated_lines",
        sa.Column("log_partition", sa.SmallInteger(), autoincrement=False, nullable=False, comment="Kafka partition"),
        sa.Column("from_offset", sa.BigInteger(), autoincrement=False, nullable=False, comment="offset of the first line"),
        sa.Column("to_offset", sa.BigInteger(), nullable=False, comment="offset past the last line"),
        sa.Column("first_time", sa.DateTime(timezone=True), nullable=False, comment="earliest watch or rating in there"),
        sa.Column("last_time", sa.DateTime(timezone=True), nullable=False, comment="latest watch or rating in there"),
        sa.PrimaryKeyConstraint("log_partition", "from_offset"),
        comment="Which times credited lines hold, to find them again when a receipt comes late",
    )
    op.create_table(
        "answer_credit",
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False, comment="receipt.time"),
        sa.Column("receipt_id", postgresql.UUID(), nullable=False, comment="the answer"),
        sa.Column("movie_id", sa.Text(), nullable=False, comment="a movie that it showed"),
        sa.Column("place", sa.SmallInteger(), nullable=False, comment="where it stood in the list, from 1"),
        sa.Column("minutes", sa.Integer(), nullable=False, comment="minutes the user watched of it since"),
        sa.Column("ratings", sa.Integer(), nullable=False, comment="how often the user rated it since"),
        sa.Column("rating_sum", sa.Double(), nullable=False, comment="sum of these ratings"),
        sa.PrimaryKeyConstraint("answered_at", "receipt_id", "movie_id"),
        comment="What people did with what an answer showed, each minute and rating once; forgotten when the answer's window closes",
    )
    op.create_table(
        "judged_window",
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False, comment="first answer time that counts"),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=False, comment="first answer time past the window"),
        sa.Column("stale", sa.Boolean(), nullable=False, comment="something came late: judge it once more"),
        sa.PrimaryKeyConstraint("window_start"),
        comment="Windows with figures that may still change",
    )
    op.create_table(
        "person_movie",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="the person"),
        sa.Column("movie_id", sa.Text(), nullable=False, comment="a movie they watched or rated"),
        sa.Column("first_time", sa.DateTime(timezone=True), nullable=False, comment="when they first did"),
        sa.PrimaryKeyConstraint("user_id", "movie_id"),
        comment="The first ten movies of each person, which say how well they were known when",
    )
    op.create_table(
        "too_late",
        sa.Column("kind", sa.Text(), nullable=False, comment="watch, rating, recommendation_request, receipt"),
        sa.Column("rows", sa.BigInteger(), nullable=False, comment="how many so far"),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False, comment="when the last of them was met"),
        sa.PrimaryKeyConstraint("kind"),
        comment="Rows that came so late that the figures they belong to no longer change",
    )

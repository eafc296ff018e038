"""Receipts by way of a spool: how far each is stored, and receipts found by their time."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision 0001 to this one."""
    op.create_table(
        "receipt_spool",
        sa.Column(
            "spool_id",
            sa.UUID(),
            nullable=False,
            comment="names a spool; a lost volume gets another",
        ),
        sa.Column("slot", sa.Text(), nullable=False, comment="whose spool: blue or green"),
        sa.Column(
            "position",
            sa.BigInteger(),
            nullable=False,
            comment="bytes of the spool that are in receipt",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when receipts were last stored",
        ),
        sa.PrimaryKeyConstraint("spool_id"),
        comment="How far each slot's spool of receipts is stored; moves with the receipts themselves",
    )
    op.create_index("receipt_time", "receipt", ["time"], unique=False, postgresql_using="brin")

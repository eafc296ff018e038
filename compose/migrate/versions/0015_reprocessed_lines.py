"""Tell evaluation which lines landed behind it, at offsets that it has reckoned with."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision 0014 to this one."""
    op.create_table(
        "reprocessed_lines",
        sa.Column("log_partition", sa.SmallInteger(), autoincrement=False, nullable=False, comment="Kafka partition"),
        sa.Column("from_offset", sa.BigInteger(), autoincrement=False, nullable=False, comment="offset of the first line"),
        sa.Column("to_offset", sa.BigInteger(), nullable=False, comment="offset past the last line"),
        sa.PrimaryKeyConstraint("log_partition", "from_offset"),
        comment="Lines that were refused, landed later at their old offsets, and are not evaluated yet",
    )

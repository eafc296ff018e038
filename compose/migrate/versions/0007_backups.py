"""Remember when a backup was made."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision 0004 to this one."""
    op.create_table(
        "backup",
        sa.Column(
            "backup_id", sa.BigInteger(), sa.Identity(always=False), nullable=False, comment="number"
        ),
        sa.Column(
            "ended_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when it was whole",
        ),
        sa.Column("directory", sa.Text(), nullable=False, comment="where it lies on the host"),
        sa.Column("bytes", sa.BigInteger(), nullable=False, comment="how large it is"),
        sa.PrimaryKeyConstraint("backup_id"),
        comment="Backups that were made whole; the newest tells how old the last one is",
    )

"""Keep which code each slot got, and when."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision 0016 to this one."""
    op.create_table(
        "code_release",
        sa.Column("release_id", sa.BigInteger(), sa.Identity(always=False), nullable=False, comment="order"),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="when the slot answered with it, or had its previous image again"),
        sa.Column("slot", sa.Text(), nullable=False, comment="the slot that got it"),
        sa.Column("image", sa.Text(), nullable=False, comment="its name: by commit and lock, or by digest where it came from a registry"),
        sa.Column("image_id", sa.Text(), nullable=False, comment="SHA-256 of what the engine has"),
        sa.Column("outcome", sa.Text(), nullable=False, comment="released or taken back"),
        sa.PrimaryKeyConstraint("release_id"),
        comment="Each image that a slot got, and whether it kept it",
    )

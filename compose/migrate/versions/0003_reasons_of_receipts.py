"""Say all reasons that a receipt can give."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision 0002 to this one."""
    op.alter_column(
        "receipt",
        "reason",
        comment="how the list came about: model, fold_in, people, lately or popular",
        existing_type=sa.Text(),
        existing_nullable=False,
        existing_comment="how the list came about: model, fold_in, popular",
    )

"""Keep what each release proved, chained by hash."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision 0012 to this one."""
    op.add_column("deployment", sa.Column("certificate", sa.Text(), nullable=True, comment="what the release proved, JSON; of the step promote only"))
    op.add_column("deployment", sa.Column("certificate_hash", sa.Text(), nullable=True, comment="SHA-256 of the certificate, which names that of the one before"))

"""Keep how far a job is beside what it says, for whoever looks at a bar."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision 0010 to this one."""
    op.add_column("job_log", sa.Column("done", sa.REAL(), nullable=True, comment="share of the job that is done then"))

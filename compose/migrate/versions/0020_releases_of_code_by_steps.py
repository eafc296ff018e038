"""Let releases of code be carried as those of models: which code belongs to which release."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision 0019 to this one."""
    op.add_column("code_release", sa.Column("job_id", sa.BigInteger(), nullable=True, comment="procrastinate_jobs.id of its release, as in deployment; null before any model"))
    op.alter_column("code_release", "outcome", comment="given, placed, released or taken back")
    op.alter_column("code_release", "at", comment="when the slot ran it, was to keep it, or had its previous image again")
    op.alter_column("deployment", "action", comment="release or rollback, of a model; code release or code rollback")
    op.alter_column("deployment", "step", comment="start, place, code, ready, replay, shift, watch, promote, abort")

"""Count people of experiments once more when something of theirs came late; say how long credit is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision 0018 to this one."""
    op.add_column("experiment_person", sa.Column("stale", sa.Boolean(), server_default="false", nullable=False, comment="something of theirs came after it was passed: they are counted once more"))
    op.create_index("experiment_person_stale", "experiment_person", ["experiment_id"], unique=False, postgresql_where=sa.text("stale"))
    op.alter_column("experiment_person", "minutes", comment="minutes of these, after they were recommended")
    op.alter_column("experiment_movie", "minutes", comment="minutes of it that they watched after it was recommended")
    op.create_table_comment("answer_credit", "What people did with what an answer showed, each minute and rating once; forgotten a horizon after the answer's window closed")

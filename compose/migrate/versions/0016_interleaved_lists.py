"""Let a list be drafted from two versions: whose each movie is, and what people took of each."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision 0015 to this one."""
    op.add_column("receipt", sa.Column("interleaved_with", sa.Text(), nullable=True, comment="the second version that the list was drafted from; null: of one alone"))
    op.add_column("receipt", sa.Column("origins", sa.Text(), nullable=True, comment="whose each movie is, a letter each: A only of model_version, B only of interleaved_with, = of both; null: of one alone"))
    op.alter_column("receipt", "arm", comment="interleaved, where the list was drafted from two versions; else control")
    op.add_column("experiment", sa.Column("kind", sa.Text(), server_default="ab", nullable=False, comment="ab: each arm gets one version; interleaving: the challenger's arm gets lists of both"))
    op.alter_column("experiment", "challenger_slot", comment="slot that holds the challenger; both, of interleaving")
    op.alter_column("experiment_look", "control_people", comment="people counted in the control arm; of interleaving 0, as each compares both")
    op.alter_column("experiment_look", "value", comment="how much more the challenger has, as a share; of interleaving the preference, -1 to 1")
    op.add_column("experiment_person", sa.Column("took_control", sa.Integer(), server_default="0", nullable=False, comment="of interleaved lists: movies they watched that only control would have shown"))
    op.add_column("experiment_person", sa.Column("took_challenger", sa.Integer(), server_default="0", nullable=False, comment="of interleaved lists: movies they watched that only the challenger would have shown"))

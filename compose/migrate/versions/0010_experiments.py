"""Try versions on people: who is in an experiment, what they did, what was seen when."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision 0009 to this one."""
    op.drop_table("experiment")  # nothing ever filled it
    _make_experiments()
    _make_people()
    _make_looks()


def _experiment_id() -> sa.Column[int]:
    return sa.Column("experiment_id", sa.BigInteger(), sa.ForeignKey("experiment.experiment_id"), primary_key=True, autoincrement=False, nullable=False, comment="the experiment")


def _user_id() -> sa.Column[int]:
    return sa.Column("user_id", sa.BigInteger(), primary_key=True, autoincrement=False, nullable=False, comment="the person")


def _make_experiments() -> None:
    op.create_table(
        "experiment",
        sa.Column("experiment_id", sa.BigInteger(), sa.Identity(always=False), nullable=False, comment="number"),
        sa.Column("name", sa.Text(), nullable=False, comment="what is tried"),
        sa.Column("control", sa.Text(), nullable=False, comment="model version that was live at the start"),
        sa.Column("challenger", sa.Text(), nullable=False, comment="model version that is tried against it"),
        sa.Column("challenger_slot", sa.Text(), nullable=False, comment="slot that holds the challenger"),
        sa.Column("salt", sa.Text(), nullable=False, comment="with the seed, what the buckets were drawn by"),
        sa.Column("seed", sa.BigInteger(), nullable=False, comment="random number of this experiment alone"),
        sa.Column("horizon", sa.Interval(), nullable=False, comment="how long after a person's first answer what they do counts"),
        sa.Column("margin", sa.Double(), nullable=False, comment="a smaller relative difference is none"),
        sa.Column("largest_sample", sa.Integer(), nullable=False, comment="people at which it ends, decided or not"),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="start"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="end; null while it runs"),
        sa.Column("end_reason", sa.Text(), nullable=True, comment="why it ended"),
        sa.PrimaryKeyConstraint("experiment_id"),
        comment="Experiments: a random subset of buckets that gets another model",
    )
    op.create_table(
        "experiment_stratum",
        _experiment_id(),
        sa.Column("stratum", sa.SmallInteger(), primary_key=True, autoincrement=False, nullable=False, comment="1, 2, …"),
        sa.Column("share", sa.SmallInteger(), nullable=False, comment="buckets of 1,000 that get the challenger"),
        sa.Column("buckets", postgresql.ARRAY(sa.SmallInteger()), nullable=False, comment="which these are"),
        sa.Column("begun_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="since when; until the next begins"),
        comment="The shares an experiment had one after the other; people are compared within one",
    )
    op.create_table(
        "experiment_offset",
        _experiment_id(),
        sa.Column("log_partition", sa.SmallInteger(), primary_key=True, autoincrement=False, nullable=False, comment="Kafka partition"),
        sa.Column("request_offset", sa.BigInteger(), nullable=False, comment="the next offset to look for requests at"),
        sa.Column("watch_offset", sa.BigInteger(), nullable=False, comment="the next offset to look for watched minutes at"),
        sa.Column("taken_until", sa.DateTime(timezone=True), nullable=False, comment="everything before it is reckoned with"),
        comment="How far the stream is reckoned with for an experiment",
    )


def _make_people() -> None:
    op.create_table(
        "experiment_person",
        _experiment_id(),
        _user_id(),
        sa.Column("stratum", sa.SmallInteger(), nullable=False, comment="stratum in which they came"),
        sa.Column("arm", sa.Text(), nullable=False, comment="by their bucket: control or challenger"),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False, comment="their first request in the experiment"),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False, comment="end of their time: that and the horizon"),
        sa.Column("state", sa.Text(), nullable=False, comment="open; counted, once; or cut, when their time was cut short"),
        sa.Column("movies_before", sa.Integer(), server_default="0", nullable=False, comment="different movies they watched in the week before the start"),
        sa.Column("requests", sa.Integer(), server_default="0", nullable=False, comment="requests in their time"),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False, comment="of these, how many failed"),
        sa.Column("empty", sa.Integer(), server_default="0", nullable=False, comment="of these, how many were answered without a movie"),
        sa.Column("response_ms", sa.BigInteger(), server_default="0", nullable=False, comment="milliseconds these took, together"),
        sa.Column("receipts", sa.Integer(), server_default="0", nullable=False, comment="answers of a slot in their time"),
        sa.Column("personalised", sa.Integer(), server_default="0", nullable=False, comment="of these, how many were made for them"),
        sa.Column("watched", sa.Integer(), server_default="0", nullable=False, comment="recommended movies they watched in their time"),
        sa.Column("minutes", sa.Integer(), server_default="0", nullable=False, comment="minutes of these"),
        comment="Everybody in an experiment and what they came to, counted once, when it is over",
    )
    op.create_index("experiment_person_open", "experiment_person", ["experiment_id", "closes_at"], postgresql_where=sa.text("state = 'open'"))
    op.create_table(
        "experiment_movie",
        _experiment_id(),
        _user_id(),
        sa.Column("movie_id", sa.Text(), primary_key=True, nullable=False, comment="a movie they were shown or watched"),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=True, comment="when it was first recommended; null if not"),
        sa.Column("watched_at", sa.DateTime(timezone=True), nullable=True, comment="when they last watched of it; null if not"),
        sa.Column("minutes", sa.Integer(), server_default="0", nullable=False, comment="minutes of it that they watched"),
        comment="What people whose time is not over were shown and watched in it",
    )


def _make_looks() -> None:
    op.create_table(
        "experiment_look",
        _experiment_id(),
        sa.Column("looked_at", sa.DateTime(timezone=True), primary_key=True, nullable=False, comment="when"),
        sa.Column("metric", sa.Text(), primary_key=True, nullable=False, comment="what was compared"),
        sa.Column("control_people", sa.Integer(), nullable=False, comment="people counted in the control arm"),
        sa.Column("challenger_people", sa.Integer(), nullable=False, comment="people counted in the challenger's arm"),
        sa.Column("control", sa.Double(), nullable=True, comment="figure of control"),
        sa.Column("challenger", sa.Double(), nullable=True, comment="figure of the challenger"),
        sa.Column("value", sa.Double(), nullable=True, comment="how much more the challenger has, as a share"),
        sa.Column("low", sa.Double(), nullable=True, comment="lower end of the interval at all looks together"),
        sa.Column("high", sa.Double(), nullable=True, comment="upper end of the interval at all looks together"),
        sa.Column("verdict", sa.Text(), nullable=True, comment="of the metric that decides; null of others"),
        sa.Column("reason", sa.Text(), nullable=True, comment="why, in a sentence"),
        comment="Each look at an experiment in which something had changed: the interval over time",
    )

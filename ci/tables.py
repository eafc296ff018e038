"""The table of deployments: what was live at any moment, and why."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, Integer, Table, Text, func

from ingest.tables import metadata

deployment = Table(
    "deployment",
    metadata,
    Column("step_id", BigInteger, Identity(), primary_key=True, comment="order of the steps"),
    Column(
        "at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="when the step was done",
    ),
    Column("job_id", BigInteger, nullable=True, comment="procrastinate_jobs.id that did it"),
    Column("action", Text, nullable=False, comment="release or rollback"),
    Column(
        "step", Text, nullable=False, comment="start, place, ready, shift, watch, promote, abort"
    ),
    Column("version", Text, nullable=False, comment="the model version being released"),
    Column("slot", Text, nullable=False, comment="the slot that holds it"),
    Column("share", Integer, nullable=False, comment="buckets of 1,000 it gets after this step"),
    Column("live_version", Text, nullable=True, comment="the version that is live after this step"),
    Column("live_slot", Text, nullable=True, comment="the slot that is live after this step"),
    Column("reason", Text, nullable=False, comment="why"),
    comment="Each step of each release and rollback; the last row says what is live",
)

"""The tables of deployments: what was live at any moment, by which code, and why."""

from sqlalchemy import BigInteger, Column, DateTime, Double, Identity, Integer, Table, Text, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

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
    Column(
        "action",
        Text,
        nullable=False,
        comment="release or rollback, of a model; code release or code rollback",
    ),
    Column(
        "step",
        Text,
        nullable=False,
        comment="start, place, code, ready, replay, shift, watch, promote, abort",
    ),
    Column("version", Text, nullable=False, comment="the model version being released"),
    Column("slot", Text, nullable=False, comment="the slot that holds it"),
    Column("share", Integer, nullable=False, comment="buckets of 1,000 it gets after this step"),
    Column("live_version", Text, nullable=True, comment="the version that is live after this step"),
    Column("live_slot", Text, nullable=True, comment="the slot that is live after this step"),
    Column("reason", Text, nullable=False, comment="why"),
    Column(
        "evidence",
        Text,
        nullable=True,
        comment="what a verdict rests on: live or replayed; null of other steps",
    ),
    Column(
        "certificate",
        Text,
        nullable=True,
        comment="what the release proved, JSON; of the step promote only",
    ),
    Column(
        "certificate_hash",
        Text,
        nullable=True,
        comment="SHA-256 of the certificate, which names that of the one before",
    ),
    comment="Each step of each release and rollback; the last row says what is live",
)

gate_measurement = Table(
    "gate_measurement",
    metadata,
    Column("measurement_id", BigInteger, Identity(), primary_key=True, comment="order"),
    Column(
        "at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="when it was judged",
    ),
    Column("job_id", BigInteger, nullable=True, comment="procrastinate_jobs.id of the release"),
    Column("version", Text, nullable=False, comment="the version that was judged"),
    Column("share", Integer, nullable=False, comment="buckets of 1,000 it had"),
    Column(
        "evidence",
        Text,
        nullable=False,
        comment="live: people's requests; replayed: recent ones again",
    ),
    Column("metric", Text, nullable=False, comment="what was measured"),
    Column("value", Double, nullable=False, comment="of the version"),
    Column(
        "live_value", Double, nullable=True, comment="of the live version, where it is compared"
    ),
    Column("bound", Double, nullable=True, comment="what it was held to, if to anything"),
    Column("verdict", Text, nullable=False, comment="what all measurements of this look came to"),
    Column("reason", Text, nullable=False, comment="why, in words"),
    comment="Each measurement that a release was judged by",
)

rejected_candidate = Table(
    "rejected_candidate",
    metadata,
    Column("rejection_id", BigInteger, Identity(), primary_key=True, comment="order"),
    Column(
        "at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="when it was rejected",
    ),
    Column("job_id", BigInteger, nullable=True, comment="procrastinate_jobs.id of the release"),
    Column("version", Text, nullable=False, comment="the version that was rejected"),
    Column("slot", Text, nullable=False, comment="the slot that held it"),
    Column("reason", Text, nullable=False, comment="why"),
    Column("figures", JSONB, nullable=False, comment="the last measurement of each figure"),
    Column(
        "answers",
        JSONB,
        nullable=False,
        comment="replayed answers that differed most from the live version's",
    ),
    Column("log", ARRAY(Text), nullable=False, comment="the last lines that its slot logged"),
    comment="Versions that a release took back, each with its evidence",
)

code_release = Table(
    "code_release",
    metadata,
    Column("release_id", BigInteger, Identity(), primary_key=True, comment="order"),
    Column(
        "at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="when the slot ran it, was to keep it, or had its previous image again",
    ),
    Column("slot", Text, nullable=False, comment="the slot that got it"),
    Column(
        "image",
        Text,
        nullable=False,
        comment="its name: by commit and lock, or by digest where it came from a registry",
    ),
    Column("image_id", Text, nullable=False, comment="SHA-256 of what the engine has"),
    Column("outcome", Text, nullable=False, comment="given, placed, released or taken back"),
    Column(
        "job_id",
        BigInteger,
        nullable=True,
        comment="procrastinate_jobs.id of its release, as in deployment; null before any model",
    ),
    comment="Each image that a slot got, and whether it kept it",
)

pipeline_step = Table(
    "pipeline_step",
    metadata,
    Column("step", Text, primary_key=True, comment="which step of Jenkins's pipelines"),
    Column("ended_at", DateTime(timezone=True), nullable=False, comment="when it last ended"),
    Column(
        "failures",
        BigInteger,
        nullable=False,
        comment="how often it has failed since it last ended well",
    ),
    comment="How each step that Jenkins asks its helper for last ended",
)

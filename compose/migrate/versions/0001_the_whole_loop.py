"""The tables of the whole loop: stream, models, receipts, judgement, deployments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "account",
        sa.Column(
            "time",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when the account was created, UTC",
        ),
        sa.Column("user_id", sa.BigInteger(), nullable=False, comment="whose account"),
        sa.Column(
            "log_partition",
            sa.SmallInteger(),
            nullable=False,
            comment="Kafka partition the line was read from",
        ),
        sa.Column(
            "log_offset",
            sa.BigInteger(),
            nullable=False,
            comment="offset of the line in its Kafka partition",
        ),
        comment="The creation of a user's account",
        postgresql_partition_by="RANGE (time)",
    )
    op.create_index(
        "account_log_offset",
        "account",
        ["log_offset"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on", "pages_per_range": 16},
    )
    op.create_table(
        "app_user",
        sa.Column(
            "user_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="identifier in the stream",
        ),
        sa.Column("age", sa.SmallInteger(), nullable=True, comment="years"),
        sa.Column("gender", sa.Text(), nullable=True, comment="as the catalogue says it"),
        sa.Column("occupation", sa.Text(), nullable=True, comment="as the catalogue says it"),
        sa.Column(
            "first_seen",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when first met in the stream",
        ),
        sa.Column(
            "described_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the catalogue was last asked",
        ),
        sa.PrimaryKeyConstraint("user_id"),
        comment="Every user met in the stream, with what the catalogue says of them",
    )
    op.create_table(
        "catalogue_progress",
        sa.Column("log_partition", sa.SmallInteger(), nullable=False, comment="Kafka partition"),
        sa.Column(
            "next_offset", sa.BigInteger(), nullable=False, comment="the next offset to look at"
        ),
        sa.PrimaryKeyConstraint("log_partition"),
        comment="How far movies and users met in the stream are gathered into movie and app_user",
    )
    op.create_table(
        "deployment",
        sa.Column(
            "step_id",
            sa.BigInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="order of the steps",
        ),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when the step was done",
        ),
        sa.Column(
            "job_id", sa.BigInteger(), nullable=True, comment="procrastinate_jobs.id that did it"
        ),
        sa.Column("action", sa.Text(), nullable=False, comment="release or rollback"),
        sa.Column(
            "step",
            sa.Text(),
            nullable=False,
            comment="start, place, ready, shift, watch, promote, abort",
        ),
        sa.Column("version", sa.Text(), nullable=False, comment="the model version being released"),
        sa.Column("slot", sa.Text(), nullable=False, comment="the slot that holds it"),
        sa.Column(
            "share",
            sa.Integer(),
            nullable=False,
            comment="buckets of 1,000 it gets after this step",
        ),
        sa.Column(
            "live_version",
            sa.Text(),
            nullable=True,
            comment="the version that is live after this step",
        ),
        sa.Column(
            "live_slot", sa.Text(), nullable=True, comment="the slot that is live after this step"
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="why"),
        sa.PrimaryKeyConstraint("step_id"),
        comment="Each step of each release and rollback; the last row says what is live",
    )
    op.create_table(
        "dropped_partition",
        sa.Column("partition_name", sa.Text(), nullable=False, comment="the partition's name"),
        sa.Column("relation", sa.Text(), nullable=False, comment="the table it belonged to"),
        sa.Column(
            "lower_bound",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="earliest time it could hold",
        ),
        sa.Column(
            "upper_bound",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="first time past what it could hold",
        ),
        sa.Column(
            "decided_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when it was decided to drop it",
        ),
        sa.Column(
            "dropped_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when it was gone; null while only decided",
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="why it was dropped"),
        sa.PrimaryKeyConstraint("partition_name"),
        comment="Partitions that retention dropped: first the intent, then the deed",
    )
    op.create_table(
        "duplicate",
        sa.Column(
            "landed_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when the doubled line was dropped",
        ),
        sa.Column(
            "log_partition",
            sa.SmallInteger(),
            nullable=False,
            comment="Kafka partition the line was read from",
        ),
        sa.Column(
            "log_offset",
            sa.BigInteger(),
            nullable=False,
            comment="offset of the line in its Kafka partition",
        ),
        sa.Column(
            "first_partition",
            sa.SmallInteger(),
            nullable=False,
            comment="Kafka partition where the same line stood before",
        ),
        sa.Column(
            "first_offset",
            sa.BigInteger(),
            nullable=False,
            comment="offset there; that line is the one that was kept",
        ),
        comment="A line that was dropped because the stream had held the very same line shortly before",
        postgresql_partition_by="RANGE (landed_at)",
    )
    op.create_index(
        "duplicate_log_offset",
        "duplicate",
        ["log_offset"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on", "pages_per_range": 16},
    )
    op.create_table(
        "experiment",
        sa.Column(
            "experiment_id",
            sa.BigInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="number",
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="what is tried"),
        sa.Column(
            "challenger", sa.Text(), nullable=False, comment="model version in the treatment arm"
        ),
        sa.Column(
            "buckets",
            postgresql.ARRAY(sa.SmallInteger()),
            nullable=False,
            comment="buckets drawn for treatment",
        ),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="start",
        ),
        sa.Column(
            "ended_at", sa.DateTime(timezone=True), nullable=True, comment="end; null while it runs"
        ),
        sa.Column("end_reason", sa.Text(), nullable=True, comment="why it ended"),
        sa.PrimaryKeyConstraint("experiment_id"),
        comment="Experiments: a random subset of buckets that gets another model",
    )
    op.create_table(
        "ingest_audit",
        sa.Column(
            "audited_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when the tables were counted",
        ),
        sa.Column("log_partition", sa.SmallInteger(), nullable=False, comment="Kafka partition"),
        sa.Column(
            "scope",
            sa.Text(),
            nullable=False,
            comment="full: all there is; incremental: what came since a balanced audit",
        ),
        sa.Column(
            "first_offset",
            sa.BigInteger(),
            nullable=False,
            comment="the first offset that was looked at",
        ),
        sa.Column(
            "next_offset", sa.BigInteger(), nullable=False, comment="the next offset to consume"
        ),
        sa.Column(
            "consumed",
            sa.BigInteger(),
            nullable=False,
            comment="offsets consumed: next_offset - first_offset",
        ),
        sa.Column("watches", sa.BigInteger(), nullable=False, comment="rows in watch"),
        sa.Column("ratings", sa.BigInteger(), nullable=False, comment="rows in rating"),
        sa.Column(
            "requests", sa.BigInteger(), nullable=False, comment="rows in recommendation_request"
        ),
        sa.Column("accounts", sa.BigInteger(), nullable=False, comment="rows in account"),
        sa.Column("rejects", sa.BigInteger(), nullable=False, comment="rows in reject"),
        sa.Column("duplicates", sa.BigInteger(), nullable=False, comment="rows in duplicate"),
        sa.Column("lost", sa.BigInteger(), nullable=False, comment="offsets in stream_loss"),
        sa.Column(
            "dropped",
            sa.BigInteger(),
            nullable=False,
            comment="rows in partitions that retention dropped, as counted then",
        ),
        sa.Column(
            "offset_error",
            sa.Numeric(),
            nullable=False,
            comment="sum of the offsets consumed less the sum found; not 0 if one is missing, another double",
        ),
        sa.Column(
            "balanced",
            sa.Boolean(),
            nullable=False,
            comment="whether each consumed offset is accounted for once",
        ),
        sa.PrimaryKeyConstraint("audited_at", "log_partition"),
        comment="Each audit of what was consumed against what is there, term by term",
    )
    op.create_table(
        "job_log",
        sa.Column(
            "line_id",
            sa.BigInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="order of the lines",
        ),
        sa.Column("job_id", sa.BigInteger(), nullable=False, comment="procrastinate_jobs.id"),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when it was said",
        ),
        sa.Column("message", sa.Text(), nullable=False, comment="progress, for people"),
        sa.PrimaryKeyConstraint("line_id"),
        comment="What each job said of its progress",
    )
    op.create_index(op.f("ix_job_log_job_id"), "job_log", ["job_id"], unique=False)
    op.create_table(
        "line_key",
        sa.Column(
            "time",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="minute that the line names, UTC",
        ),
        sa.Column(
            "line_hash",
            sa.BigInteger(),
            nullable=False,
            comment="64 bits of BLAKE2b over the line's bytes",
        ),
        sa.Column(
            "first_partition",
            sa.SmallInteger(),
            nullable=False,
            comment="Kafka partition of the line that was kept",
        ),
        sa.Column(
            "first_offset",
            sa.BigInteger(),
            nullable=False,
            comment="offset of the line that was kept",
        ),
        sa.PrimaryKeyConstraint("time", "line_hash"),
        comment="One key a line, to find doubles across Kafka partitions; empty where that is off",
        postgresql_partition_by="RANGE (time)",
    )
    op.create_table(
        "model_version",
        sa.Column("version", sa.Text(), nullable=False, comment="name of the version's directory"),
        sa.Column("algorithm", sa.Text(), nullable=False, comment="which algorithm ranks"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when it was published",
        ),
        sa.Column("git_commit", sa.Text(), nullable=False, comment="the code that trained it"),
        sa.Column(
            "data_hash", sa.Text(), nullable=False, comment="sha256 of the training snapshot"
        ),
        sa.Column(
            "interactions", sa.BigInteger(), nullable=False, comment="interactions trained on"
        ),
        sa.Column("users", sa.BigInteger(), nullable=False, comment="users trained on"),
        sa.Column("movies", sa.BigInteger(), nullable=False, comment="movies trained on"),
        sa.Column(
            "figures",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="offline figures by name",
        ),
        sa.Column(
            "manifest",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="the version's manifest.json",
        ),
        sa.Column(
            "verdict", sa.Text(), nullable=False, comment="accepted or refused, by the offline gate"
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="why the gate said so"),
        sa.PrimaryKeyConstraint("version"),
        comment="Every model version that was trained, and what the offline gate said of it",
    )
    op.create_table(
        "movie",
        sa.Column("movie_id", sa.Text(), nullable=False, comment="identifier in the stream"),
        sa.Column(
            "title", sa.Text(), nullable=True, comment="title, when the catalogue described it"
        ),
        sa.Column("release_date", sa.Date(), nullable=True, comment="release date"),
        sa.Column("runtime", sa.Integer(), nullable=True, comment="minutes"),
        sa.Column("genres", postgresql.ARRAY(sa.Text()), nullable=True, comment="genres"),
        sa.Column(
            "first_seen",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when it was first met in the stream",
        ),
        sa.Column(
            "described_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the catalogue was last asked",
        ),
        sa.PrimaryKeyConstraint("movie_id"),
        comment="Every movie met in the stream, with what the catalogue says of it",
    )
    op.create_table(
        "online_metric",
        sa.Column(
            "window_start",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="first receipt time that counts",
        ),
        sa.Column("model_version", sa.Text(), nullable=False, comment="the model judged"),
        sa.Column(
            "arm", sa.Text(), nullable=False, comment="experiment arm; control outside of one"
        ),
        sa.Column("metric", sa.Text(), nullable=False, comment="what was measured"),
        sa.Column(
            "window_end",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="first receipt time past the window",
        ),
        sa.Column("value", sa.Double(), nullable=False, comment="the figure"),
        sa.Column(
            "samples", sa.BigInteger(), nullable=False, comment="answers, or ratings, it rests on"
        ),
        sa.Column(
            "computed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when",
        ),
        sa.PrimaryKeyConstraint("window_start", "model_version", "arm", "metric"),
        comment="Figures of each model version from what people did after its answers",
    )
    op.create_table(
        "rating",
        sa.Column(
            "time",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when the rating was given, UTC",
        ),
        sa.Column("user_id", sa.BigInteger(), nullable=False, comment="who rated"),
        sa.Column("movie_id", sa.Text(), nullable=False, comment="what was rated"),
        sa.Column("rating", sa.REAL(), nullable=False, comment="the rating, on the stream's scale"),
        sa.Column(
            "log_partition",
            sa.SmallInteger(),
            nullable=False,
            comment="Kafka partition the line was read from",
        ),
        sa.Column(
            "log_offset",
            sa.BigInteger(),
            nullable=False,
            comment="offset of the line in its Kafka partition",
        ),
        comment="A rating a user gave a movie",
        postgresql_partition_by="RANGE (time)",
    )
    op.create_index(
        "rating_log_offset",
        "rating",
        ["log_offset"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on", "pages_per_range": 16},
    )
    op.create_table(
        "receipt",
        sa.Column("receipt_id", sa.UUID(), nullable=False, comment="UUIDv7 of the answer"),
        sa.Column(
            "time", sa.DateTime(timezone=True), nullable=False, comment="when it was given, UTC"
        ),
        sa.Column("user_id", sa.BigInteger(), nullable=False, comment="who was answered"),
        sa.Column(
            "movie_ids",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="the answer, best first",
        ),
        sa.Column("model_version", sa.Text(), nullable=False, comment="which model answered"),
        sa.Column("slot", sa.Text(), nullable=False, comment="which slot answered: blue or green"),
        sa.Column(
            "bucket",
            sa.SmallInteger(),
            nullable=False,
            comment="the user's bucket, 0 to 999; -1 unknown",
        ),
        sa.Column(
            "arm", sa.Text(), nullable=False, comment="experiment arm; control outside of one"
        ),
        sa.Column(
            "reason",
            sa.Text(),
            nullable=False,
            comment="how the list came about: model, fold_in, popular",
        ),
        sa.Column(
            "latency_ms",
            sa.REAL(),
            nullable=False,
            comment="time spent on the answer, milliseconds",
        ),
        comment="One row for each answer: who got which list, from which model, and why",
        postgresql_partition_by="RANGE (time)",
    )
    op.create_table(
        "recommendation_request",
        sa.Column(
            "time",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when the answer came or was given up on, UTC",
        ),
        sa.Column(
            "user_id",
            sa.BigInteger(),
            nullable=False,
            comment="for whom recommendations were requested",
        ),
        sa.Column("server", sa.Text(), nullable=False, comment="host and port that was asked"),
        sa.Column(
            "status",
            sa.SmallInteger(),
            nullable=False,
            comment="HTTP status; 0 when no answer came",
        ),
        sa.Column(
            "movie_ids",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="the movies in the answer, best first; empty on failure",
        ),
        sa.Column("error", sa.Text(), nullable=True, comment="why the request failed"),
        sa.Column(
            "response_ms", sa.Integer(), nullable=False, comment="time to the answer, milliseconds"
        ),
        sa.Column(
            "log_partition",
            sa.SmallInteger(),
            nullable=False,
            comment="Kafka partition the line was read from",
        ),
        sa.Column(
            "log_offset",
            sa.BigInteger(),
            nullable=False,
            comment="offset of the line in its Kafka partition",
        ),
        comment="A recommendation request as the caller logged it",
        postgresql_partition_by="RANGE (time)",
    )
    op.create_index(
        "recommendation_request_log_offset",
        "recommendation_request",
        ["log_offset"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on", "pages_per_range": 16},
    )
    op.create_table(
        "reject",
        sa.Column(
            "landed_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when the line was refused",
        ),
        sa.Column(
            "reason",
            sa.Text(),
            nullable=False,
            comment="why the line was refused, one word from ingest.lines.Reason",
        ),
        sa.Column(
            "raw", sa.LargeBinary(), nullable=False, comment="the bytes of the line, cut to 4 KiB"
        ),
        sa.Column(
            "log_partition",
            sa.SmallInteger(),
            nullable=False,
            comment="Kafka partition the line was read from",
        ),
        sa.Column(
            "log_offset",
            sa.BigInteger(),
            nullable=False,
            comment="offset of the line in its Kafka partition",
        ),
        comment="A line that is no event, and why",
        postgresql_partition_by="RANGE (landed_at)",
    )
    op.create_index(
        "reject_log_offset",
        "reject",
        ["log_offset"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on", "pages_per_range": 16},
    )
    op.create_table(
        "retention_lease",
        sa.Column("owner", sa.Text(), nullable=False, comment="who still needs the rows"),
        sa.Column("reason", sa.Text(), nullable=False, comment="what for"),
        sa.Column(
            "held_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="rows at or after this time must stay (the watermark)",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when the owner last moved it",
        ),
        sa.PrimaryKeyConstraint("owner"),
        comment="Up to where the rows are still needed; retention drops nothing past the earliest",
    )
    op.create_table(
        "retention_plan",
        sa.Column("partition_name", sa.Text(), nullable=False, comment="the partition's name"),
        sa.Column("relation", sa.Text(), nullable=False, comment="the table it belongs to"),
        sa.Column(
            "lower_bound",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="earliest time it can hold",
        ),
        sa.Column(
            "upper_bound",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="first time past what it can hold",
        ),
        sa.Column(
            "expires_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when it is past its time to live",
        ),
        sa.Column(
            "bytes", sa.BigInteger(), nullable=False, comment="its size on disk, indexes included"
        ),
        sa.Column(
            "drops", sa.Boolean(), nullable=False, comment="whether the last pass meant to drop it"
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="why it goes, or why it stays"),
        sa.Column(
            "planned_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when this was decided",
        ),
        sa.PrimaryKeyConstraint("partition_name"),
        comment="What the last pass of retention decided on each partition there was",
    )
    op.create_table(
        "stream_loss",
        sa.Column("log_partition", sa.SmallInteger(), nullable=False, comment="Kafka partition"),
        sa.Column(
            "from_offset", sa.BigInteger(), nullable=False, comment="the first offset that was lost"
        ),
        sa.Column(
            "to_offset", sa.BigInteger(), nullable=False, comment="the first offset after the loss"
        ),
        sa.Column(
            "accepted_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
            comment="when a person accepted it",
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="why, as that person wrote it"),
        sa.PrimaryKeyConstraint("log_partition", "from_offset"),
        comment="Lines that the broker had lost before they were read, and that somebody gave up",
    )
    op.create_table(
        "stream_offset",
        sa.Column("topic", sa.Text(), nullable=False, comment="Kafka topic"),
        sa.Column("log_partition", sa.SmallInteger(), nullable=False, comment="Kafka partition"),
        sa.Column(
            "first_offset",
            sa.BigInteger(),
            nullable=False,
            comment="the first offset that was ever consumed",
        ),
        sa.Column(
            "next_offset", sa.BigInteger(), nullable=False, comment="the next offset to consume"
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when the last batch landed",
        ),
        sa.Column("topic_id", sa.Text(), server_default="", nullable=False, comment="Kafka's id of the topic, another one when it is made anew; empty where Kafka has none"),
        sa.PrimaryKeyConstraint("topic", "log_partition"),
        comment="How far each partition of the stream is consumed; written with the rows themselves",
    )
    op.create_table(
        "viewing",
        sa.Column(
            "day", sa.DateTime(timezone=True), nullable=False, comment="midnight UTC of the day"
        ),
        sa.Column("user_id", sa.BigInteger(), nullable=False, comment="who watched"),
        sa.Column("movie_id", sa.Text(), nullable=False, comment="what was watched"),
        sa.Column(
            "minutes", sa.Integer(), nullable=False, comment="minutes sent to the user on that day"
        ),
        sa.Column(
            "furthest_minute",
            sa.SmallInteger(),
            nullable=False,
            comment="the furthest minute of the movie that was sent",
        ),
        sa.Column(
            "first_watched",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when the first of these minutes was sent",
        ),
        sa.Column(
            "last_watched",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when the last of these minutes was sent",
        ),
        sa.PrimaryKeyConstraint("day", "user_id", "movie_id"),
        comment="Watched minutes, summed for each user, movie and day",
        postgresql_partition_by="RANGE (day)",
    )
    op.create_table(
        "viewing_progress",
        sa.Column("log_partition", sa.SmallInteger(), nullable=False, comment="Kafka partition"),
        sa.Column(
            "next_offset", sa.BigInteger(), nullable=False, comment="the next offset to roll up"
        ),
        sa.PrimaryKeyConstraint("log_partition"),
        comment="How far watch is rolled up into viewing",
    )
    op.create_table(
        "watch",
        sa.Column(
            "time",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when the minute was requested, UTC",
        ),
        sa.Column("user_id", sa.BigInteger(), nullable=False, comment="who watched"),
        sa.Column("movie_id", sa.Text(), nullable=False, comment="what was watched"),
        sa.Column("minute", sa.SmallInteger(), nullable=False, comment="which minute of the movie"),
        sa.Column(
            "log_partition",
            sa.SmallInteger(),
            nullable=False,
            comment="Kafka partition the line was read from",
        ),
        sa.Column(
            "log_offset",
            sa.BigInteger(),
            nullable=False,
            comment="offset of the line in its Kafka partition",
        ),
        comment="One minute of a movie sent to a user",
        postgresql_partition_by="RANGE (time)",
    )
    op.create_index(
        "watch_log_offset",
        "watch",
        ["log_offset"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on", "pages_per_range": 16},
    )
    op.create_table(
        "dropped_rows",
        sa.Column("partition_name", sa.Text(), nullable=False, comment="the dropped partition"),
        sa.Column(
            "log_partition",
            sa.SmallInteger(),
            nullable=False,
            comment="Kafka partition of the rows",
        ),
        sa.Column(
            "row_count", sa.BigInteger(), nullable=False, comment="how many rows went with it"
        ),
        sa.Column(
            "offset_sum", sa.Numeric(), nullable=False, comment="sum of the offsets of these rows"
        ),
        sa.Column(
            "last_offset",
            sa.BigInteger(),
            nullable=False,
            comment="the greatest offset of these rows",
        ),
        sa.ForeignKeyConstraint(
            ["partition_name"],
            ["dropped_partition.partition_name"],
        ),
        sa.PrimaryKeyConstraint("partition_name", "log_partition"),
        comment="How many lines of each Kafka partition went with a dropped partition",
    )
    op.execute("""
        CREATE FUNCTION live_at(moment timestamptz DEFAULT now()) RETURNS SETOF deployment
        LANGUAGE sql STABLE
        AS 'SELECT * FROM deployment WHERE at <= moment ORDER BY step_id DESC LIMIT 1'
    """)
    op.execute(
        "COMMENT ON FUNCTION live_at IS 'The last step up to a moment: what was live then, and why'"
    )

"""The tables of online evaluation and experiments."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Double,
    Identity,
    SmallInteger,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY

from ingest.tables import metadata

TIME = DateTime(timezone=True)

online_metric = Table(
    "online_metric",
    metadata,
    Column("window_start", TIME, primary_key=True, comment="first receipt time that counts"),
    Column("model_version", Text, primary_key=True, comment="the model judged"),
    Column("arm", Text, primary_key=True, comment="experiment arm; control outside of one"),
    Column("metric", Text, primary_key=True, comment="what was measured"),
    Column("window_end", TIME, nullable=False, comment="first receipt time past the window"),
    Column("value", Double, nullable=False, comment="the figure"),
    Column("samples", BigInteger, nullable=False, comment="answers, or ratings, it rests on"),
    Column("computed_at", TIME, nullable=False, server_default=func.now(), comment="when"),
    comment="Figures of each model version from what people did after its answers",
)
experiment = Table(
    "experiment",
    metadata,
    Column("experiment_id", BigInteger, Identity(), primary_key=True, comment="number"),
    Column("name", Text, nullable=False, comment="what is tried"),
    Column("challenger", Text, nullable=False, comment="model version in the treatment arm"),
    Column("buckets", ARRAY(SmallInteger), nullable=False, comment="buckets drawn for treatment"),
    Column("started_at", TIME, nullable=False, server_default=func.now(), comment="start"),
    Column("ended_at", TIME, nullable=True, comment="end; null while it runs"),
    Column("end_reason", Text, nullable=True, comment="why it ended"),
    comment="Experiments: a random subset of buckets that gets another model",
)
backup = Table(
    "backup",
    metadata,
    Column("backup_id", BigInteger, Identity(), primary_key=True, comment="number"),
    Column(
        "ended_at", TIME, nullable=False, server_default=func.now(), comment="when it was whole"
    ),
    Column("directory", Text, nullable=False, comment="where it lies on the host"),
    Column("bytes", BigInteger, nullable=False, comment="how large it is"),
    comment="Backups that were made whole; the newest tells how old the last one is",
)

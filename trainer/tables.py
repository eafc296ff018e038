"""The table of model versions."""

from sqlalchemy import BigInteger, Column, DateTime, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from ingest.tables import metadata

model_version = Table(
    "model_version",
    metadata,
    Column("version", Text, primary_key=True, comment="name of the version's directory"),
    Column("algorithm", Text, nullable=False, comment="which algorithm ranks"),
    Column(
        "created_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="when it was published",
    ),
    Column("git_commit", Text, nullable=False, comment="the code that trained it"),
    Column("data_hash", Text, nullable=False, comment="sha256 of the training snapshot"),
    Column("interactions", BigInteger, nullable=False, comment="interactions trained on"),
    Column("users", BigInteger, nullable=False, comment="users trained on"),
    Column("movies", BigInteger, nullable=False, comment="movies trained on"),
    Column("figures", JSONB, nullable=False, comment="offline figures by name"),
    Column("manifest", JSONB, nullable=False, comment="the version's manifest.json"),
    Column("verdict", Text, nullable=False, comment="accepted or refused, by the offline gate"),
    Column("reason", Text, nullable=False, comment="why the gate said so"),
    comment="Every model version that was trained, and what the offline gate said of it",
)

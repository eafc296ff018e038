"""All tables, gathered for Alembic: importing each owner registers its tables."""

import ci.tables
import ingest.tables
import monitoring.experiments.tables
import monitoring.tables
import recommender.tables
import trainer.tables

OWNERS = (
    ingest.tables,
    trainer.tables,
    recommender.tables,
    monitoring.tables,
    monitoring.experiments.tables,
    ci.tables,
)

metadata = ingest.tables.metadata

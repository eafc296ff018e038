"""What can be set from outside, for each of the two services of this package."""

from datetime import timedelta
from enum import StrEnum

from ingest.database import DatabaseSettings
from ingest.lines import RatingScale, rating_scale
from ingest.partitions import PartitionSettings


class Start(StrEnum):
    """Where to begin in a stream of which nothing was consumed yet."""

    EARLIEST = "earliest"
    LATEST = "latest"


class IngestSettings(DatabaseSettings):
    """Settings of the service `ingest`; read from the environment."""

    kafka_servers: str = "kafka:19092"
    kafka_topic: str = "movielog"
    start_from: Start = Start.EARLIEST
    rating_min: float = 1
    rating_max: float = 5
    rating_step: float = 1
    clock_tolerance: timedelta = timedelta(minutes=5)
    batch_lines: int = 20_000
    batch_time: timedelta = timedelta(seconds=0.5)

    @property
    def scale(self) -> RatingScale:
        """The ratings that are on the stream's scale."""
        return rating_scale(self.rating_min, self.rating_max, self.rating_step)


class RetentionSettings(DatabaseSettings, PartitionSettings):
    """Settings of the service `retention`; read from the environment."""

    retain_cron: str = "* * * * *"
    audit_cron: str = "*/5 * * * *"
    catalogue_cron: str = "* * * * *"
    metadata_url: str = ""

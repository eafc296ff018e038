"""What can be set from outside, for each of the two services of this package."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from compose.service.database import DatabaseSettings
from compose.service.rating_range import RatingRange
from compose.service.schedule import Schedule
from ingest.kafka.broker import KafkaSettings
from ingest.lines.grammar import RatingScale, rating_scale
from ingest.retention.partition_settings import PartitionSettings


def read_start(text: object) -> object:
    """Read `earliest`, `latest`, `offset N` or `time T`; a time without a zone is in UTC.

    Raises:
        ValueError: it is none of them.
    """
    match str(text).split(maxsplit=1):
        case ["earliest" | "latest" as place]:
            return place
        case ["offset", offset] if offset.isdecimal():
            return int(offset)
        case ["time", written]:
            time = datetime.fromisoformat(written)
            return time if time.tzinfo else time.replace(tzinfo=UTC)
    raise ValueError("not earliest, latest, `offset N` or `time 2026-03-10T12:00`")


type Start = Literal["earliest", "latest"] | int | datetime
"""Where to begin in a stream of which nothing was consumed yet."""


class LineSettings(RatingRange, DatabaseSettings):
    """Which lines are taken; what they say may still be wrong, but these are impossible."""

    rating_step: float = Field(default=1, gt=0, allow_inf_nan=False)
    clock_tolerance: timedelta = timedelta(minutes=5)
    user_id_min: int = 1
    user_id_max: int = Field(default=10**18 - 1, ge=1, lt=10**18)
    catalogue: Literal["open", "strict"] = Field(
        default="open", description="strict refuses movies that the catalogue has not described"
    )

    @property
    def scale(self) -> RatingScale:
        """The ratings that are on the stream's scale."""
        return rating_scale(self.rating_min, self.rating_max, self.rating_step)

    @property
    def user_ids(self) -> range:
        """The users that can exist."""
        return range(self.user_id_min, self.user_id_max + 1)


class IngestSettings(KafkaSettings, LineSettings):
    """Settings of the service `ingest`; read from the environment."""

    start_from: Annotated[Start, BeforeValidator(read_start)] = "earliest"
    batch_lines: int = 20_000
    batch_time: timedelta = timedelta(seconds=0.5)
    window_lines: int = Field(
        default=50_000,
        ge=0,
        description="newest lines of each partition among which duplicates are found; 0 finds none",
    )
    doubles_across_partitions: bool = False


class RetentionSettings(LineSettings, PartitionSettings):
    """Settings of the service `retention`; read from the environment."""

    retain_cron: Schedule = "* * * * *"
    audit_cron: Schedule = "*/5 * * * *"
    full_audit_cron: Schedule = "17 3 * * *"
    catalogue_cron: Schedule = "* * * * *"
    metadata_url: str = ""

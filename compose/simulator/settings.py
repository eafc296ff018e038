"""What the simulator is told by its environment."""

from pathlib import Path

from pydantic import Field, HttpUrl
from pydantic_settings import SettingsConfigDict

from compose.service.rating_range import RatingRange


class Settings(RatingRange):
    """Where the stream and the recommender are, and how lively the simulated people are."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    kafka_servers: str = "kafka:19093"
    kafka_topic: str = "movielog"
    recommender_url: HttpUrl = HttpUrl("http://nginx:8082")
    rate: float = Field(
        default=25,
        gt=0,
        le=1000,
        allow_inf_nan=False,
        description="Log lines a second to aim at; some 900 people who write one each minute, "
        "divided by the time-lapse, cannot write more than 15 times the time-lapse.",
    )
    time_lapse: float = Field(
        default=1,
        gt=0,
        allow_inf_nan=False,
        description="How many minutes of a movie go by in a minute.",
    )
    seed: int = Field(default=1, ge=0)
    people: int = Field(
        default=610,
        ge=610,
        le=50_000,
        description="How many people live there; beyond the rating set's 610 their tastes are "
        "blended from two of those. Their past is sent at the first start.",
    )
    rating_step: float = Field(default=1, gt=0, allow_inf_nan=False)
    damaged_share: float = Field(
        default=0.0005, ge=0, le=1, description="Share of lines with a character too many."
    )
    doubled_share: float = Field(
        default=0.0002, ge=0, le=1, description="Share of lines published twice."
    )
    metadata_port: int = 8090
    metrics_port: int = 9000
    heartbeat_file: Path = Field(
        default=Path("/tmp/heartbeat"),  # noqa: S108 -- a container's own tmpfs
        description="Touched while people are living; the health check reads its age.",
    )

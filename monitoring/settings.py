"""What an operator can set for online evaluation, read from the environment."""

from datetime import timedelta

from pydantic import Field

from compose.service.database import DatabaseSettings


class Settings(DatabaseSettings):
    """How answers are judged and how often; connects as the role `evaluation`."""

    evaluation_window: timedelta = Field(
        default=timedelta(hours=1),
        gt=timedelta(0),
        description="Answers are judged together that were given within one such window.",
    )
    evaluation_horizon: timedelta = Field(
        default=timedelta(hours=24),
        gt=timedelta(0),
        description="How long after an answer what its user does is counted for it.",
    )
    evaluate_cron: str = "* * * * *"
    ingest_metrics_url: str = "http://ingest:9000/metrics"

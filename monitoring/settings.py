"""What an operator can set for online evaluation, read from the environment."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field

from compose.service.database import DatabaseSettings
from compose.service.schedule import Schedule
from monitoring.evaluation.windows import Terms


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
    lateness: timedelta = Field(
        default=timedelta(days=2),
        ge=timedelta(0),
        description="How far behind the stream what belongs to an answer may come, and count.",
    )
    evaluate_cron: Schedule = "* * * * *"
    ingest_metrics_url: str = "http://ingest:9000/metrics"
    backup_metrics_url: str = "http://backup:9000/metrics"
    prometheus_url: str = "http://prometheus.published:9090"
    alertmanager_url: str = "http://alertmanager:9093"
    compose_profiles: str = Field(
        default="", description="What of the stack is chosen; tells which services are missed."
    )
    simulator: Literal["on", "off"] = "off"
    given_file: Path = Field(
        default=Path("/run/secrets/given.json"),
        description="Which of the addresses that only a person knows were given.",
    )
    alert_test_file: Path = Field(
        default=Path("/tmp/alert-test"),  # noqa: S108 -- a container's own tmpfs
        description="Touched to ask for a test of the alerts' way.",
    )
    page_root: Path = Path("/var/lib/marquee/page")
    status_page: Literal["public", "loopback"] = Field(
        default="public",
        description="Who gets the status page: everybody who reaches Nginx, or this host alone.",
    )

    status_port: int = Field(
        default=8083,
        ge=1,
        le=65535,
        description="Where this host alone finds the status page, and what to do when.",
    )

    @property
    def what_to_do(self) -> str:
        """The address of the page that tells what to do when, which the public port has not."""
        path = "/status/operations"
        here = f"http://127.0.0.1:{self.status_port}{path}"
        return path if self.status_page == "loopback" else here

    @property
    def page_folder(self) -> Path:
        """Where the status page is put: Nginx's public port serves `public` alone."""
        return self.page_root / self.status_page

    def terms(self) -> Terms:
        """How answers are judged."""
        return Terms(self.evaluation_window, self.evaluation_horizon, self.lateness)

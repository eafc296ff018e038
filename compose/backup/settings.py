"""What an operator can set for backups, read from the environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from compose.service.database import DatabaseSettings
from compose.service.schedule import Schedule


class Settings(DatabaseSettings):
    """What is copied, to where, when, and how much is kept; connects as the role `backup`."""

    project: str = Field(
        default="marquee", description="The stack's name; each keeps its own backups in a folder."
    )
    backups: Path = Path("/var/backups/marquee")
    secrets: Path = Path("/run/secrets")
    models: Path = Path("/var/lib/marquee/models")
    state: Path = Path("/var/lib/marquee/state")
    backup_cron: Schedule | Literal["off"] = Field(
        default="0 2 * * *", description="When one is taken by itself; `off` for never."
    )
    backup_keep: int = Field(
        default=7, ge=1, description="How many whole ones stay; the oldest go once a new one is."
    )
    git_commit: str = "unknown"

    @property
    def scheduled(self) -> bool:
        """Whether backups are taken by themselves."""
        return self.backup_cron != "off"

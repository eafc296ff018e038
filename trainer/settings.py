"""What the trainer is told by its environment."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from compose.service.database import DatabaseSettings
from compose.service.lists import SPLIT_AT_COMMAS
from compose.service.rating_range import RatingRange
from compose.service.schedule import Schedule
from trainer.algorithms.registry import ALGORITHMS
from trainer.data.interactions import Scale
from trainer.selection.gate import Rules

NAMES = tuple(ALGORITHMS)
"""Every algorithm there is."""


class Settings(RatingRange, DatabaseSettings):
    """Where versions go, what the ratings mean, when to train, what is kept."""

    models_directory: Path = Path("/var/lib/marquee/models")
    state_directory: Path = Path("/var/lib/marquee/state")
    watched_minutes: int = Field(
        default=10, ge=1, description="from how many minutes on an unrated viewing counts"
    )
    algorithms: Annotated[tuple[str, ...], NoDecode, SPLIT_AT_COMMAS] = Field(
        default=NAMES,
        description="what is tried, and popularity in any case; empty for all there are",
    )
    search_seconds: float = Field(
        default=0,
        ge=0,
        allow_inf_nan=False,
        description="how long is searched around the best of the usual recipes",
    )
    lists_active_days: float = Field(
        default=90,
        ge=0,
        allow_inf_nan=False,
        description="who did something so long before the newest event has a list computed ahead;"
        " who comes back after a longer time is scored at their first request",
    )
    gate_minimum_users: int = Field(
        default=30, ge=1, description="users with a liked movie held out that a verdict needs"
    )
    gate_tolerance: float = Field(
        default=0.1, ge=0, description="share of the live model's NDCG a version may fall short of"
    )
    gate_minimum_coverage: float = Field(
        default=0.01, ge=0, le=1, description="share of the movies that the judged lists must show"
    )
    gate_largest_mib: float = Field(default=1024, gt=0, description="what a version may take")
    gate_slowest_fold_in_ms: float = Field(
        default=100, gt=0, description="how long scoring a new user may take"
    )
    keep_versions: int = Field(default=10, ge=1, description="how many of the newest are kept")
    models_budget_mib: float = Field(
        default=10_240, gt=0, description="what all versions together may take on the disk"
    )
    pin_tags_to: str = Field(default="", description="git repository that tags are pushed to")
    pin_cache_to: str = Field(default="", description="DVC remote that the cache is pushed to")
    scratch_directory: Path = Path("/tmp/trainer")  # noqa: S108 -- a tmpfs of the container's own
    schedule: Literal["internal", "jenkins"] = "internal"
    retrain_cron: Schedule | Literal[""] = Field(
        default="0 3 * * *", description="empty: never by itself"
    )
    git_commit: str = "unknown"
    lock_file: Path = Path("/opt/marquee/requirements.txt")

    @field_validator("algorithms")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        asked = tuple(name for name in names if name)
        if unknown := set(asked) - set(NAMES):
            raise ValueError(f"there is no {min(unknown)}; there are {', '.join(NAMES)}")
        return asked or NAMES

    @property
    def versions_directory(self) -> Path:
        """Where each version has its directory."""
        return self.models_directory / "versions"

    @property
    def scale(self) -> Scale:
        """The lowest and the highest rating of the stream."""
        return Scale(self.rating_min, self.rating_max)

    @property
    def rules(self) -> Rules:
        """What the gate asks for."""
        return Rules(
            self.gate_minimum_users,
            self.gate_tolerance,
            self.gate_minimum_coverage,
            self.gate_largest_mib,
            self.gate_slowest_fold_in_ms,
        )

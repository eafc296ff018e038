"""The releaser's settings, read from the environment."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import NoDecode

from ci.release.plan import Bounds
from ci.release.replay import ReplayBounds
from ci.slots.state import BUCKETS, Slot
from compose.service.database import DatabaseSettings
from compose.service.lists import SPLIT_AT_COMMAS
from compose.service.schedule import Schedule


class Settings(DatabaseSettings):
    """Where the volumes and slots are, and how carefully a release goes."""

    metrics_address: str = Field(
        default="0.0.0.0",  # noqa: S104 -- in a container; compose/releaser.yml names one network
        description="Where it tells its metrics: by name or number, an address of its own.",
    )
    state_directory: Path = Path("/var/lib/marquee/state")
    models_directory: Path = Path("/var/lib/marquee/models")
    slot_url: str = Field(
        default="http://recommender-{slot}:8000",
        description="Where a slot is reached; {slot} becomes blue or green.",
    )
    release_steps: Annotated[tuple[int, ...], NoDecode, SPLIT_AT_COMMAS] = Field(
        default=(10, 100, 500, BUCKETS),
        description="Shares of 1,000 that a new version gets one after the other.",
    )
    release_watch_seconds: float = Field(default=60, gt=0, allow_inf_nan=False)
    release_judge_share: int = Field(
        default=100,
        gt=0,
        lt=BUCKETS,
        description="Share of 1,000 that is held until people have judged the new version.",
    )
    evaluation_horizon: timedelta = Field(
        default=timedelta(days=1),
        gt=timedelta(0),
        description="How long after a person's first answer what they do counts.",
    )
    release_patience: timedelta = Field(
        default_factory=lambda given: 2 * given["evaluation_horizon"],
        description="How long a share is watched, or held, for something to judge it by: two"
        " horizons unless given, and one at least, after which the first people are counted.",
    )
    release_undecided: Literal["proceed", "abort"] = Field(
        default="proceed", description="What becomes of a release that patience did not decide."
    )
    release_ready_seconds: float = Field(default=120, gt=0)
    release_code_seconds: float = Field(
        default=300, gt=0, description="How long recreating a slot with other code may take."
    )
    release_error_share: float = Field(
        default=0.01, description="Failed answers more than the old version's, of all."
    )
    release_p99_seconds: float = Field(
        default=0.3, description="Half of the 600 ms after which callers give up."
    )
    release_replay_requests: int = Field(
        default=200,
        ge=0,
        description="How many recent requests are replayed before anybody gets a version; 0: none.",
    )
    release_replay_rate: float = Field(
        default=50, gt=0, description="At most so many of them a second."
    )
    release_replay_seen_share: float = Field(
        default=0.01,
        description="Share of replayed lists that may offer what their user has seen.",
    )
    release_replay_overlap: float = Field(
        default=0.01, description="Mean share of the live lists that the new ones must hold."
    )
    git_commit: str = Field(default="unknown", description="Which code releases; its image tells.")
    schedule: Literal["internal", "jenkins"] = "internal"
    release_cron: Schedule | Literal[""] = Field(
        default="30 3 * * *", description="Empty: never by itself."
    )

    @field_validator("release_steps")
    @classmethod
    def _grow_to_everyone(cls, shares: tuple[int, ...]) -> tuple[int, ...]:
        if any(later <= earlier for earlier, later in pairwise((0, *shares))):
            raise ValueError("the shares must grow")
        if not shares or shares[-1] != BUCKETS:
            raise ValueError(f"the last share must be {BUCKETS}, everyone")
        return shares

    @model_validator(mode="before")
    @classmethod
    def _take_nothing_for_the_default(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Compose gives an empty value where nobody gave one."""
        if given.get("release_patience") == "":
            del given["release_patience"]
        return given

    @field_validator("release_patience")
    @classmethod
    def _outlast_a_horizon(cls, patience: timedelta, others: ValidationInfo) -> timedelta:
        horizon = others.data.get("evaluation_horizon", patience)
        if patience < horizon:
            raise ValueError(
                f"{patience} is less than EVALUATION_HORIZON, {horizon}: nobody would be counted"
            )
        return patience

    def bounds(self) -> Bounds:
        """How bad a new version may be before it is taken back."""
        return Bounds(self.release_error_share, self.release_p99_seconds)

    def replay_bounds(self) -> ReplayBounds:
        """How bad replayed answers may be before the version gets nobody."""
        return ReplayBounds(
            self.bounds(), self.release_replay_seen_share, self.release_replay_overlap
        )

    def longest_watch_seconds(self) -> float:
        """When a watch ends that found nothing to judge by."""
        return max(self.release_patience.total_seconds(), self.release_watch_seconds)

    def url(self, slot: Slot) -> str:
        """The base URL under which a slot answers."""
        return self.slot_url.format(slot=slot)

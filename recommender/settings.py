"""What a slot is told by its environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from compose.service.database import DatabaseSettings


class Settings(DatabaseSettings):
    """Which slot this is, where its files are, and how much it keeps in memory."""

    slot: Literal["blue", "green"]
    port: int = 8000
    models_dir: Path = Path("/var/lib/marquee/models")
    state_dir: Path = Path("/var/lib/marquee/state")
    kafka_topic: str = "movielog"
    activity_users: int = 100_000
    """Users whose recent activity is kept; the longest inactive are forgotten first."""
    diversity: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False)
    """0 ranks by score alone; more prefers movies unlike those before them in the list."""
    receipts_limit: int = 50_000
    """Receipts that wait for the disk; past that, the oldest are dropped and counted."""
    receipts_dir: Path = Path("/var/lib/marquee/receipts")
    """Where receipts wait for PostgreSQL; no other slot may use it."""
    receipts_bytes: int = 256 * 2**20
    """How much may wait there: about 500,000 receipts."""

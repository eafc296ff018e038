"""One partition of an event table: which times its rows have, and its name. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Partition:
    """One partition: rows with lower <= time < upper."""

    table: str
    lower: datetime
    upper: datetime

    @property
    def name(self) -> str:
        """`<table>_<lower bound, UTC>`."""
        return f"{self.table}_{self.lower.astimezone(UTC):%Y%m%dt%H%M%S}"

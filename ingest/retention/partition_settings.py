"""How wide partitions are, how long they stay, and which there should be by now. No I/O."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest.partition import Partition
from ingest.tables import EventTable

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Partition bounds are whole widths after this, so every process cuts time the same way."""


MOST_PARTITIONS = 1_000
"""Of one table; with more, planning a query takes longer than doing it."""


class PartitionSettings(BaseSettings):
    """How wide partitions are and how long their rows stay; read from the environment.

    A lease that holds rows older than `lease_bound` is stuck.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    partition_width: timedelta = timedelta(days=1)
    time_to_live: timedelta = Field(default=timedelta(days=14), gt=timedelta(0))
    long_partition_width: timedelta = timedelta(days=10)
    long_time_to_live: timedelta = timedelta(days=400)
    partitions_ahead: int = 2
    disk_budget_gib: float = Field(default=math.inf, gt=0)
    lease_bound: timedelta = Field(default=timedelta(days=7), gt=timedelta(0))
    override_stuck_lease: bool = False

    @field_validator("partition_width", "long_partition_width")
    @classmethod
    def _whole_minutes(cls, width: timedelta) -> timedelta:
        if width <= timedelta(0) or width % timedelta(minutes=1):
            raise ValueError(
                "a partition is some whole minutes wide: ingest judges times by minute"
            )
        return width

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.long_time_to_live < self.time_to_live:
            raise ValueError("viewings cannot expire before the minutes they are made of")
        if (
            max(
                self.time_to_live / self.partition_width,
                self.long_time_to_live / self.long_partition_width,
            )
            > MOST_PARTITIONS
        ):
            raise ValueError(f"a time to live of more than {MOST_PARTITIONS} partitions")
        return self

    def width_of(self, table: EventTable) -> timedelta:
        """The width of this table's partitions."""
        return self.long_partition_width if table.long_lived else self.partition_width

    def time_to_live_of(self, table: EventTable) -> timedelta:
        """How long rows of this table are kept."""
        return self.long_time_to_live if table.long_lived else self.time_to_live


def wanted_partitions(
    table: EventTable, settings: PartitionSettings, now: datetime
) -> Iterator[Partition]:
    """The partitions of all that may still be kept, to some widths ahead of now, oldest first."""
    width = settings.width_of(table)
    first = (now - settings.time_to_live_of(table) - table.reach - EPOCH) // width
    last = (now - EPOCH) // width + settings.partitions_ahead
    for index in range(first, last + 1):
        lower = EPOCH + index * width
        yield Partition(table.name, lower, lower + width)

"""Lines as they stand in Kafka: a run of them, in one partition, at consecutive offsets. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slice:
    """Lines of one Kafka partition at consecutive offsets; empty where no record is."""

    log_partition: int
    first_offset: int
    lines: Sequence[bytes]

    @property
    def next_offset(self) -> int:
        """The offset after the last line."""
        return self.first_offset + len(self.lines)

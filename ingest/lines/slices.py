"""Lines as they stand in Kafka: a run of them, in one partition, and the gaps in it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True, slots=True)
class Slice:
    """Lines of one Kafka partition at consecutive offsets, but for the gaps between them.

    A gap is a range of offsets at which the broker has no record that anybody is to read: a
    transaction ended there or was aborted, or the topic was compacted. A record without a value
    is an empty line. `leader_epoch` is that of the broker that wrote the last line; None where
    it counts none.
    """

    log_partition: int
    first_offset: int
    lines: Sequence[bytes]
    gaps: Sequence[range] = ()
    leader_epoch: int | None = None

    @property
    def next_offset(self) -> int:
        """The offset after the last line or gap."""
        return self.first_offset + len(self.lines) + sum(map(len, self.gaps))

    @property
    def offsets(self) -> Sequence[int]:
        """Where each line stands."""
        if not self.gaps:
            return range(self.first_offset, self.next_offset)
        edges = chain.from_iterable((gap.start, gap.stop) for gap in self.gaps)
        bounds = [self.first_offset, *edges, self.next_offset]
        return [*chain.from_iterable(map(range, bounds[::2], bounds[1::2]))]

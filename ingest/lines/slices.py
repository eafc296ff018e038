"""Lines as they stand in Kafka: a run of them, in one partition, and the gaps in it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain


@dataclass(frozen=True, slots=True)
class Slice:
    """Lines of one Kafka partition at consecutive offsets, but for the gaps between them.

    A gap is a range of offsets at which the broker has no record that anybody is to read: a
    transaction ended there or was aborted, or the topic was compacted. A record without a value
    is an empty line. `leader_epoch` is that of the broker that wrote the last line; None where
    it counts none. `published_ms` is when the last line was published, ms since 1970; None where
    that is not known.
    """

    log_partition: int
    first_offset: int
    lines: Sequence[bytes]
    gaps: Sequence[range] = ()
    leader_epoch: int | None = None
    published_ms: int | None = None

    @property
    def next_offset(self) -> int:
        """The offset after the last line or gap."""
        return self.first_offset + len(self.lines) + sum(map(len, self.gaps))

    @property
    def offsets(self) -> Sequence[int]:
        """The offset of each line in its partition, ascending."""
        if not self.gaps:
            return range(self.first_offset, self.next_offset)
        edges = chain.from_iterable((gap.start, gap.stop) for gap in self.gaps)
        bounds = [self.first_offset, *edges, self.next_offset]
        return [*chain.from_iterable(map(range, bounds[::2], bounds[1::2]))]


def newest_publication(batch: Iterable[Slice]) -> datetime | None:
    """When the line was published that was published last; None where that is not known."""
    known = [part.published_ms for part in batch if part.published_ms is not None]
    return datetime.fromtimestamp(max(known) / 1000, UTC) if known else None

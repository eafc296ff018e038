"""What can go wrong in ingest, as a tree.

IngestError
├── CatchUpTimeoutError  lines wait and none lands
├── FencedError          another process has moved this partition on
├── LostOffsetsError     the broker no longer has lines that were not read yet
├── MetadataError        the catalogue's API did not answer as one
├── MissingTopicError    the broker has no such topic, and got none
├── NoPartitionError     PostgreSQL has no partition for the present
├── OutsideLogError      the broker has no such offset to begin at
├── PartitionInUseError  a partition cannot be dropped just now
├── RefusedError         the broker and we do not accept each other
├── TruncatedLogError    the broker lost the tail of what was read already
├── UnreadableError      the topic is written in a way that we cannot read
└── WrongTopicError      the database holds the rows of another topic
"""


class IngestError(Exception):
    """The root of what ingest itself finds wrong."""


class CatchUpTimeoutError(IngestError):
    """Lines wait at the broker and none of them lands."""


class FencedError(IngestError):
    """A batch does not begin where the stored offsets end: someone else landed meanwhile."""


class LostOffsetsError(IngestError):
    """Lines are gone from the broker before they were read, or its log ends too early."""


class NoPartitionError(IngestError):
    """A line of the present fits no partition: none was made ahead of time."""


class MetadataError(IngestError):
    """The catalogue's API is away, or its answer is no answer."""


class TooManyIdsError(MetadataError):
    """The catalogue's API finds the address of a question too long: it holds too many ids."""


class MissingTopicError(IngestError):
    """The broker has no topic of this name, and nobody made it for as long as we waited."""


class PartitionInUseError(IngestError):
    """A partition cannot be dropped just now: it is being read, written or not rolled up."""


class OutsideLogError(IngestError):
    """The offset to begin at is before the broker's first or after its last."""


class RefusedError(IngestError):
    """The broker refuses our password, certificate or rights, or its certificate is not trusted."""


class TruncatedLogError(IngestError):
    """The broker's log went back behind what landed; other lines stand at these offsets now."""


class UnreadableError(IngestError):
    """Lines are compressed by what we have no codec for, packed from too much, or damaged."""


class WrongTopicError(IngestError):
    """The stored offsets belong to another topic; its rows and these would mix."""

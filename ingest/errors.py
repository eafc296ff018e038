"""What can go wrong in ingest, as a tree.

IngestError
├── FencedError        another process has moved this partition on
├── LostOffsetsError   the broker no longer has lines that were not read yet
├── NoPartitionError   PostgreSQL has no partition for the present; retention must make it
└── WrongTopicError    the database holds the rows of another topic
"""


class IngestError(Exception):
    """The root of what ingest itself finds wrong."""


class FencedError(IngestError):
    """A batch does not begin where the stored offsets end: someone else landed meanwhile."""


class LostOffsetsError(IngestError):
    """Lines are gone from the broker before they were read, or its log ends too early."""


class NoPartitionError(IngestError):
    """A line of the present fits no partition: none was made ahead of time."""


class WrongTopicError(IngestError):
    """The stored offsets belong to another topic; its rows and these would mix."""

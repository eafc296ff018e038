"""Keeps of a record what the tables take of it, so that few records are never much memory."""

from hashlib import blake2b

from kafka.serializer import Deserializer

from ingest.lines.grammar import MAX_LINE_BYTES

LONGEST_ENDING = b"\r\n"


class ShortLine(Deserializer):  # type: ignore[misc]  # kafka-python has no types
    """The line, shortened where it is over-long; headers go.

    Without it one poll could bring gigabytes that were packed into a megabyte. What is shortened
    ends in its digest, so that lines that only begin alike are still told apart.
    """

    def deserialize(
        self,
        topic: str,  # noqa: ARG002 -- as kafka-python calls it
        headers: list[tuple[str, bytes]],
        data: bytes | None,
    ) -> bytes | None:
        """What is kept of a record's value."""
        if headers:
            headers.clear()
        if data and len(data) > MAX_LINE_BYTES + len(LONGEST_ENDING):
            return data[:MAX_LINE_BYTES] + blake2b(data).digest()
        return data


class NoKey(Deserializer):  # type: ignore[misc]  # likewise
    """Nothing: nobody here reads keys."""

    def deserialize(self, topic: str, headers: object, data: bytes | None) -> None:
        """What is kept of a record's key."""

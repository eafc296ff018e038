"""Unpacks compressed batches within bounds: what a publisher packs small must not take all memory.

A broker bounds a batch as it was sent, and a megabyte can be packed from gigabytes. kafka-python
unpacks a batch whole and leaves no setting for how much that may be, so its codecs are replaced
by these.
"""

import gzip
import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import cramjam
import lz4.frame
import zstandard
from kafka.record import default_records, legacy_records

from ingest.errors import UnreadableError

MOST_BYTES = 16 << 20
"""Log lines pack to a tenth, so a batch of a megabyte, the most that brokers take by default, holds
some 10 MiB."""

BLOCKS_MAGIC = b"\x82SNAPPY\x00"
BLOCKS_HEADER_BYTES = 16
BLOCK_BYTES = struct.Struct("!i")

DAMAGED = (
    EOFError,
    OSError,  # what gzip calls a file that is none
    RuntimeError,  # lz4's
    cramjam.DecompressionError,
    struct.error,
    zlib.error,
    zstandard.ZstdError,
)


def bound_unpacking() -> None:
    """Have kafka-python unpack within bounds in this process, from now on."""
    for records in (default_records, legacy_records):
        records.gzip_decode = unpack_gzip
        records.snappy_decode = unpack_snappy
        records.lz4_decode = unpack_lz4
    default_records.zstd_decode = unpack_zstd


def unpack_gzip(packed: bytes) -> bytes:
    """Unpack gzip.

    Raises:
        UnreadableError: it is damaged, or packed from more than `MOST_BYTES`.
    """
    with _told_as_unreadable("gzip"), gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
        return _at_most(file.read(MOST_BYTES + 1))


def unpack_lz4(packed: bytes) -> bytes:
    """Unpack a frame of LZ4.

    Raises:
        UnreadableError: it is damaged, or packed from more than `MOST_BYTES`.
    """
    frame = lz4.frame.LZ4FrameDecompressor()
    with _told_as_unreadable("lz4"):
        unpacked = _at_most(frame.decompress(packed, max_length=MOST_BYTES + 1))
        if not frame.eof:
            raise EOFError("the frame is cut off")
    return unpacked


def unpack_zstd(packed: bytes) -> bytes:
    """Unpack frames of Zstandard.

    Raises:
        UnreadableError: it is damaged, or packed from more than `MOST_BYTES`.
    """
    unpacker = zstandard.ZstdDecompressor(max_window_size=MOST_BYTES)
    with (
        _told_as_unreadable("zstd"),
        unpacker.stream_reader(packed, read_across_frames=True) as stream,
    ):
        return _at_most(stream.read(MOST_BYTES + 1))


def unpack_snappy(packed: bytes) -> bytes:
    """Unpack Snappy: one block, or many one after the other as Java's library writes them.

    Raises:
        UnreadableError: it is damaged, or packed from more than `MOST_BYTES`.
    """
    with _told_as_unreadable("snappy"):
        blocks = list(_snappy_blocks(packed))
        _check_size(sum(map(cramjam.snappy.decompress_raw_len, blocks)))
        return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


def _snappy_blocks(packed: bytes) -> Iterator[bytes]:
    if not packed.startswith(BLOCKS_MAGIC):
        yield packed
        return
    at = BLOCKS_HEADER_BYTES
    while at < len(packed):
        (size,) = BLOCK_BYTES.unpack_from(packed, at)
        if size <= 0:
            raise EOFError(f"a block of {size} bytes")
        yield packed[at + BLOCK_BYTES.size : at + BLOCK_BYTES.size + size]
        at += BLOCK_BYTES.size + size


def _at_most(unpacked: bytes) -> bytes:
    _check_size(len(unpacked))
    return unpacked


def _check_size(unpacked_bytes: int) -> None:
    if unpacked_bytes > MOST_BYTES:
        raise UnreadableError(f"it is packed from more than {MOST_BYTES >> 20} MiB")


@contextmanager
def _told_as_unreadable(codec: str) -> Iterator[None]:
    try:
        yield
    except (UnreadableError, *DAMAGED) as error:
        raise UnreadableError(f"a batch by {codec} cannot be unpacked: {error}") from error

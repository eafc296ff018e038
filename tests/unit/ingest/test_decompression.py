import contextlib
import gzip
from collections.abc import Callable

import lz4.frame
import pytest
import snappy
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from kafka import codec

from ingest.errors import UnreadableError
from ingest.kafka.decompression import (
    MOST_BYTES,
    unpack_gzip,
    unpack_lz4,
    unpack_snappy,
    unpack_zstd,
)

type Codec = tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]

CODECS: dict[str, Codec] = {
    "gzip": (gzip.compress, unpack_gzip),
    "lz4": (lz4.frame.compress, unpack_lz4),
    "snappy": (snappy.compress, unpack_snappy),
    "snappy in blocks": (codec.snappy_encode, unpack_snappy),
    "zstd": (zstandard.compress, unpack_zstd),
}

each_codec = pytest.mark.parametrize(("pack", "unpack"), CODECS.values(), ids=CODECS)


@each_codec
@given(data=st.binary(min_size=1, max_size=200_000))
def test_what_was_packed_is_unpacked(pack, unpack, data):
    assert unpack(pack(data)) == data


@each_codec
def test_what_is_packed_from_more_than_the_bound_is_refused(pack, unpack):
    packed = pack(bytes(MOST_BYTES + 1))
    with pytest.raises(UnreadableError, match="packed from more than 16 MiB"):
        unpack(packed)


@each_codec
@given(data=st.binary(max_size=200))
def test_damage_is_unreadable_or_unpacked_and_nothing_else(pack, unpack, data):
    with contextlib.suppress(UnreadableError):
        assert len(unpack(pack(b"a line")[:8] + data)) <= MOST_BYTES


def test_zstandard_that_asks_for_a_window_beyond_the_bound_is_refused():
    large = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=large).compressobj()
    with pytest.raises(UnreadableError, match=r"zstd cannot be unpacked: .*memory"):
        unpack_zstd(packer.compress(b"a line") + packer.flush())

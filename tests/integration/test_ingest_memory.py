"""What publishers pack into their batches does not take more memory than the service has."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.kafka.decompression import MOST_BYTES
from tests.integration.ingesting import (
    accounts,
    landed_users,
    next_offset,
    producing,
    publish,
    refused_lines,
)
from tests.ports import free_port
from tests.stores import KAFKA
from tests.waiting import eventually

MIB = 1 << 20
MEMORY_LIMIT = 256 * MIB
"""What compose/hardened.yml gives a worker."""


@contextmanager
def ingest_process(folder: Path) -> Iterator[int]:
    """Its process id; it is ended afterwards."""
    own = {"METRICS_PORT": str(free_port()), "HEARTBEAT_FILE": str(folder / "heartbeat")}
    with subprocess.Popen([sys.executable, "-m", "ingest", "run"], env=os.environ | own) as process:
        try:
            yield process.pid
        finally:
            process.terminate()


def peak_bytes(process_id: int) -> int:
    """The most memory that a process held so far."""
    status = Path(f"/proc/{process_id}/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def numbered(line: bytes, count: int) -> list[bytes]:
    """Lines that differ at their ends only."""
    return [line + b"%d" % number for number in range(count)]


@pytest.mark.usefixtures("ingest_environment")
@pytest.mark.parametrize(
    ("codec", "lines"),
    [
        (None, numbered(os.urandom(MIB - 1000), 300)),
        ("gzip", numbered(bytes(2 * MIB), 200)),
        ("zstd", numbered(bytes(MOST_BYTES - MIB), 40)),
    ],
    ids=["large", "packed", "packed-to-the-bound"],
)
def test_over_long_lines_are_refused_within_the_memory_of_the_service(
    conninfo, topic, tmp_path, codec, lines
):
    whatever = {"compression_type": codec, "max_request_size": 2 * MOST_BYTES}
    with producing(KAFKA, **whatever) as producer:
        for line in (*lines, *accounts(1, 1)):
            publish(producer, topic, [line])
    with ingest_process(tmp_path) as process_id:
        eventually(lambda: next_offset(conninfo("marquee")) == len(lines) + 1, 120)
        peak = peak_bytes(process_id)
    assert refused_lines(conninfo("marquee")) == ["over_long"] * len(lines)
    assert landed_users(conninfo("marquee")) == [1]
    assert peak < MEMORY_LIMIT, f"{peak / MIB:.0f} MiB"

"""The host in figures: what a backup and a restore of a million rows take, and a boot.

    python -m tests.benchmarks.host [--scale small|full]

On a whole stack that has nothing else to do: its people are stopped, a million lines land, a
backup is taken and restored to its end into a second stack beside the first, up to an answer.
Beside both stands what pg_dump and pg_restore take by themselves, of the same rows.
A boot is every container killed and then started in a random order, as the engine starts them
after its own start, up to the first answer of a slot; small is three boots, full ten.
Writes build/bench/host.json; small takes about 10 minutes.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random
from statistics import median
from threading import Event

import typer
from psycopg.conninfo import make_conninfo

from compose.backup.database import COMPRESSION
from compose.backup.folder import DATABASE
from monitoring.status.containers import LONG_RUNNING
from tests.benchmarks.ingest import mixed_lines, publish
from tests.benchmarks.report import Figures, measured_commit, write
from tests.end_to_end.conftest import Stack
from tests.end_to_end.second_stack import clone_checkout, names_and_ports
from tests.end_to_end.test_6_faults import end_offsets, landed
from tests.end_to_end.test_9_reboot import unwell
from tests.engine import docker
from tests.stores import database
from tests.waiting import eventually

MILLION = 1_000_000
LINES_PER_SECOND = 50_000.0
BOOTS = {"small": 3, "full": 10}
BACKUPS = Path(os.environ.get("BACKUP_DIRECTORY", "build/no-stack"))
DUMP = ("pg_dump", "--format=custom", f"--compress={COMPRESSION}")
SERVICES = LONG_RUNNING
"""Its people stay stopped."""


def land_a_million(stack: Stack) -> int:
    """Publish a million lines and wait until they have landed; the bytes that the database grew."""
    before = database_bytes(stack)
    publish(os.environ["KAFKA_TOPIC"], mixed_lines(MILLION, seed=1), LINES_PER_SECOND, Event())
    eventually(lambda: landed(stack) >= sum(end_offsets().values()), 900, "a million lines landed")
    return database_bytes(stack) - before


def database_bytes(stack: Stack) -> int:
    """What the database takes on the disk."""
    return int(stack.sql("SELECT pg_database_size(current_database())")[0][0])


@contextmanager
def taken_backup(stack: Stack) -> Iterator[tuple[Path, float]]:
    """A backup's folder, and the seconds it took; it is gone afterwards."""
    begun = time.monotonic()
    done = stack.make("backup")
    seconds = time.monotonic() - begun
    assert done.returncode == 0, done.stdout + done.stderr
    folder = BACKUPS / done.stdout.splitlines()[-1].split()[1].rstrip(":")
    try:
        yield folder, seconds
    finally:
        shutil.rmtree(folder)


def restore_seconds(backup: Path, folder: Path) -> float:
    """Seconds of a whole `make restore` into a second stack; its images are built already."""
    clone = clone_checkout(folder)
    settings = names_and_ports()
    try:
        begun = time.monotonic()
        done = clone.restore(backup, *settings)
        seconds = time.monotonic() - begun
        assert done.returncode == 0, done.stdout + done.stderr
        return seconds
    finally:
        clone.remove()


def bare_seconds(stack: Stack, dumped: Path, folder: Path) -> tuple[float, float]:
    """Seconds of pg_dump and of pg_restore by themselves, on the stack's own server."""
    password = stack.password("postgres")
    owner = stack.conninfo("marquee", password)
    with database("bare", owner) as name:
        from_database = make_conninfo(owner, password=None)
        into = make_conninfo(from_database, dbname=name)
        jobs = f"--jobs={os.process_cpu_count()}"
        return (
            timed(password, *DUMP, f"--dbname={from_database}", f"--file={folder / 'bare.dump'}"),
            timed(password, "pg_restore", jobs, f"--dbname={into}", str(dumped)),
        )


def timed(password: str, *command: str) -> float:
    """Seconds that a command takes."""
    begun = time.monotonic()
    subprocess.run(command, check=True, env=os.environ | {"PGPASSWORD": password})
    return time.monotonic() - begun


def boot_seconds(stack: Stack, boot: int) -> float:
    """Seconds from when the containers are started, all at once, to the first answer of a slot."""
    order = Random(boot).sample(SERVICES, len(SERVICES))
    containers = [stack.container(service)["Id"] for service in order]
    docker("kill", *containers)
    begun = time.monotonic()
    with ThreadPoolExecutor(len(containers)) as engine:
        starts = [engine.submit(docker, "start", container) for container in containers]
        eventually(lambda: answered_by_a_slot(stack.nginx_port), 300, "an answer of a slot")
        seconds = time.monotonic() - begun
        for start in starts:
            start.result()
    eventually(lambda: not unwell(stack, SERVICES), 300, lambda: f"{unwell(stack, SERVICES)} well")
    return seconds


def answered_by_a_slot(port: int) -> bool:
    """Whether a list comes that a receipt is kept of: Nginx's own has none."""
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/recommend/42", headers={"Accept": "application/json"})
        return "receipt_id" in json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return False
    finally:
        connection.close()


def measure(stack: Stack, boots: int) -> Figures:
    """All of it, on a stack whose people are stopped."""
    grown = land_a_million(stack)
    with taken_backup(stack) as (backup, backup_s), tempfile.TemporaryDirectory() as folder:
        size = sum(file.stat().st_size for file in backup.rglob("*") if file.is_file())
        database = (backup / DATABASE).stat().st_size
        bare_dump_s, bare_restore_s = bare_seconds(stack, backup / DATABASE, Path(folder))
        restore_s = restore_seconds(backup, Path(folder) / "marquee")
    return {
        "lines": (float(landed(stack)), ""),
        "database_bytes_per_million_lines": (grown, "B"),
        "backup_s": (backup_s, "s"),
        "pg_dump_s": (bare_dump_s, "s"),
        "backup_bytes": (size, "B"),
        "backup_database_bytes": (database, "B"),
        "restore_s": (restore_s, "s"),
        "pg_restore_s": (bare_restore_s, "s"),
        "boot_to_answer_s": (median(boot_seconds(stack, boot) for boot in range(boots)), "s"),
    }


def main(scale: str = "small") -> None:
    """Measure the host's part and write build/bench/host.json."""
    commit, stack = measured_commit(), Stack(int(os.environ["NGINX_PORT"]))
    stack.compose("stop", "simulator")
    write("host", measure(stack, BOOTS[scale]), BOOTS[scale], commit)


if __name__ == "__main__":
    typer.run(main)

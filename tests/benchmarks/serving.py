"""How many answers a second two slots give through Nginx, against constants of the same size.

    python -m tests.benchmarks.serving [--scale small|full]

Slots, Nginx, PostgreSQL and the load generator (wrk) share one machine. The three ways of
answering take turns, so that what else goes on there hits all of them alike. Receipts
stored are counted against answers given. Writes build/bench/serving.json.
"""

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np
import psycopg
import typer
from psycopg import sql
from psycopg.conninfo import make_conninfo
from scipy import sparse

from compose.migrate.__main__ import migrate
from tests.integration.serving import ROOT, Slots, eventually, free_port, get, nginx
from trainer.artifact import Contents, Manifest, SeenItems, TopLists, write_version
from trainer.models import ItemWeightsModel

OWNER = os.environ.get(
    "TEST_DATABASE", "host=localhost port=55432 user=marquee password=dev dbname=postgres"
)
VERSION = "20260101-000000-ease"
USERS, MOVIES, LIST = 610, 9_724, 100
"""The size of MovieLens small."""
CONNECTIONS = 16
SCALES = {"small": (3, 5), "full": (5, 15)}
"""Runs of each way, and seconds of each run."""

ASK = f"""
request = function()
  local user = math.random(1, {USERS})
  if math.random(1, 20) == 1 then user = user + 1000000 end
  return wrk.format("GET", "/recommend/" .. user)
end
"""


@dataclass(frozen=True)
class Load:
    """What one run of the load generator saw."""

    answers: int
    per_second: float
    p99_ms: float
    errors: int


def load(port: int, seconds: int, script: Path) -> Load:
    """Ask as fast as the answers come."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script)]
    said = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True
    ).stdout
    return parse_load(said)


def parse_load(said: str) -> Load:
    """Read what wrk printed."""
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", said).groups()  # type: ignore[union-attr] # wrk always prints it
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    socket_errors = re.search(r"Socket errors: (.+)", said)
    return Load(
        answers=int(re.search(r"(\d+) requests in", said)[1]),  # type: ignore[index] # likewise
        per_second=float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]),  # type: ignore[index] # likewise
        p99_ms=float(number) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit],
        errors=(int(errors[1]) if errors else 0)
        + sum(map(int, re.findall(r"\d+", socket_errors[1] if socket_errors else ""))),
    )


@contextmanager
def database() -> Iterator[str]:
    """A migrated database of its own."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(OWNER, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            conninfo = make_conninfo(OWNER, dbname=name)
            migrate(conninfo, {}, datetime.now(UTC))
            yield conninfo
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def publish(models: Path) -> None:
    """A version of MovieLens's size; who likes what is drawn by chance, seeded."""
    chance = np.random.default_rng(0)
    lists = np.stack([chance.permutation(MOVIES)[: 2 * LIST] for _ in range(USERS)])
    top, seen = lists[:, :LIST].astype(np.int32), np.sort(lists[:, LIST:]).astype(np.int32)
    weights = sparse.random_array(
        (MOVIES, MOVIES), density=100 / MOVIES, format="csr", dtype=np.float32, rng=chance
    )
    contents = Contents(
        movies=[f"a+movie+of+usual+length+{number}+1999" for number in range(MOVIES)],
        users=np.arange(1, USERS + 1),
        popular=chance.permutation(MOVIES).astype(np.int32),
        top=TopLists(top, np.zeros(top.shape, np.float32)),
        seen=SeenItems(np.arange(0, (USERS + 1) * LIST, LIST), seen.ravel()),
        model=ItemWeightsModel(weights, 2.5, 0.5),
    )
    manifest = Manifest(
        version=VERSION,
        algorithm="ease",
        parameters={"midpoint": 2.5, "watched_preference": 0.5},
        created_at=datetime.now(UTC).isoformat(),
        data={"offsets": {}},
        code={},
        machine={},
        libraries={},
        figures={},
        gate={"verdict": "accepted", "reason": "a benchmark"},
    )
    write_version(models / "versions", manifest, contents)


@contextmanager
def constant_slots(way: str) -> Iterator[tuple[int, int]]:
    """Two servers that answer with a constant; their ports."""
    ports = free_port(), free_port()
    module = [sys.executable, "-m", "tests.benchmarks.serving_limits", way]
    servers = [subprocess.Popen([*module, str(port)], cwd=ROOT) for port in ports]
    try:
        for port in ports:
            eventually(lambda port=port: _answers(port))
        yield ports
    finally:
        for server in servers:
            server.terminate()
            server.wait(timeout=10)


def _answers(port: int) -> bool:
    try:
        return get(port, "/recommend/1")[0] == 200
    except OSError:
        return False


@contextmanager
def slots(folder: Path, conninfo: str) -> Iterator[tuple[int, int]]:
    """Two real slots; their ports."""
    folder.mkdir()
    running = Slots(folder, conninfo)
    publish(running.models)
    try:
        yield running.start("blue", VERSION).port, running.start("green", VERSION).port
    finally:
        running.end()


def half_split(state: Path) -> None:
    """Markers for every second bucket, so that both slots are asked alike."""
    live = state / "split" / "live"
    live.mkdir(parents=True)
    for bucket in range(0, 1000, 2):
        (live / f"{bucket:03}").touch()


def stored_receipts(conninfo: str) -> int:
    """How many receipts there are."""
    with psycopg.connect(conninfo) as connection:
        return connection.execute("SELECT count(*) FROM receipt").fetchone()[0]  # type: ignore[index] # count gives a row


def measure(runs: int, seconds: int) -> dict[str, tuple[float, str]]:
    """Each figure with its unit."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        script = folder / "ask.lua"
        script.write_text(ASK)
        half_split(folder / "state")
        conninfo = stack.enter_context(database())
        ports = {
            "marquee": stack.enter_context(slots(folder / "slots", conninfo)),
            "bare": stack.enter_context(constant_slots("bare")),
            "flask": stack.enter_context(constant_slots("flask")),
        }
        doors = {}
        for way, (blue, green) in ports.items():
            (folder / way).mkdir()
            running = nginx(folder / way, folder / "state", blue, green)
            doors[way] = stack.enter_context(running).port
        loads: dict[str, list[Load]] = {way: [] for way in doors}
        for turn in range(runs):
            for way, port in doors.items():
                loads[way].append(load(port, seconds, script))
                print(f"run {turn + 1} {way}: {loads[way][-1].per_second:.0f} requests/s")  # noqa: T201 -- progress
        given = sum(each.answers for each in loads["marquee"])
        eventually(lambda: stored_receipts(conninfo) >= given, within=60)
        more = stored_receipts(conninfo) - given
        return figures(loads, load(ports["marquee"][0], seconds, script), more)


def figures(
    loads: dict[str, list[Load]], direct: Load, more_receipts: int
) -> dict[str, tuple[float, str]]:
    """The medians, and what they are of each other."""
    rates = {way: median(each.per_second for each in runs) for way, runs in loads.items()}
    return {
        "requests_per_s": (rates["marquee"], "1/s"),
        "requests_per_s_one_slot_direct": (direct.per_second, "1/s"),
        "ratio_bare": (rates["marquee"] / rates["bare"], ""),
        "ratio_flask": (rates["marquee"] / rates["flask"], ""),
        "p99_ms_at_full_load": (median(each.p99_ms for each in loads["marquee"]), "ms"),
        "errors": (sum(each.errors for each in loads["marquee"]), ""),
        "receipts_without_a_counted_answer": (more_receipts, ""),
    }


def main(scale: str = "small") -> None:
    """Measure serving and write build/bench/serving.json."""
    runs, seconds = SCALES[scale]
    measured = measure(runs, seconds)
    for name, (value, unit) in measured.items():
        print(f"{name}: {value:.4g} {unit}".rstrip())  # noqa: T201 -- what a benchmark is for
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    target = ROOT / "build" / "bench" / "serving.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "figures": [
            {"name": name, "value": value, "unit": unit} for name, (value, unit) in measured.items()
        ],
        "runs": runs,
        "machine": f"{os.cpu_count()} cores, {platform.processor() or platform.machine()}",
        "commit": commit,
    }
    target.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)

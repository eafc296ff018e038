"""Serving in figures: how many answers, how late, how fresh, and what it takes to hold them.

    python -m tests.benchmarks.serving [--scale small|full]

Slots, Nginx, PostgreSQL, Kafka and the load generators share one machine: wrk for the most,
tests/end_to_end/load.py for latency at a constant rate (corrected for coordinated omission).
The slots and two servers of constants of the same size take turns, so that what else goes on
hits all of them alike. Receipts landed are held against answers given.
Writes build/bench/serving.json; small takes about 6 minutes, full about 12.
"""

import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg
import typer

from tests.benchmarks.report import Figures, measured_commit, write
from tests.benchmarks.serving_attack import attacked
from tests.benchmarks.serving_diversity import diversity
from tests.benchmarks.serving_explain import explaining
from tests.benchmarks.serving_freshness import freshness
from tests.benchmarks.serving_growth import growth
from tests.benchmarks.serving_receipts import lost_by_sigkill
from tests.benchmarks.serving_training import load_movielens, training_beside
from tests.benchmarks.serving_versions import VERSION, publish
from tests.end_to_end import load as constant
from tests.integration.serving import ROOT, Slots, get, nginx
from tests.ports import free_port
from tests.stores import as_role, migrated_database
from tests.waiting import eventually

USERS = 610
"""As many as MovieLens small has."""
NEW = 0.05
"""The share of requests for users of whom nothing is known."""
CONNECTIONS = 16
RATE = 1_000


@dataclass(frozen=True)
class Scale:
    """How many runs of each way, and how long each is."""

    runs: int
    seconds: int
    constant_seconds: int
    attack_seconds: int = 30


SCALES = {"small": Scale(5, 5, 8), "full": Scale(5, 15, 30)}

ASK = f"""
request = function()
  local user = math.random(1, {USERS})
  if math.random(1, 20) == 1 then user = math.random(1000000, 999999999) end
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
    publish(running.models, USERS)
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


def answers_given(ports: tuple[int, int]) -> int:
    """How many answers the slots counted themselves: what the load generator hung up on, too."""
    counted = re.compile(r'^marquee_requests_total\{.*status="200".*\} ([0-9.e+]+)$', re.MULTILINE)
    return sum(
        int(float(each)) for port in ports for each in counted.findall(get(port, "/metrics")[1])
    )


@dataclass(frozen=True)
class Ways:
    """The ways of answering that are held against each other, each behind an Nginx of its own."""

    slots: dict[str, tuple[int, int]]
    doors: dict[str, int]


@contextmanager
def ways(folder: Path, conninfo: str) -> Iterator[Ways]:
    """Start all of them."""
    half_split(folder / "state")
    with ExitStack() as stack:
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
        yield Ways(ports, doors)


def throughput(running: Ways, scale: Scale, folder: Path) -> Figures:
    """The most that each way answers, in turn."""
    script = folder / "ask.lua"
    script.write_text(ASK)
    loads: dict[str, list[Load]] = {way: [] for way in running.doors}
    for turn in range(scale.runs):
        for way, port in running.doors.items():
            loads[way].append(load(port, scale.seconds, script))
            say(f"run {turn + 1} {way}: {loads[way][-1].per_second:.0f} requests/s")
    rates = {way: median(each.per_second for each in runs) for way, runs in loads.items()}
    return {
        "requests_per_s": (rates["marquee"], "1/s"),
        "ratio_bare": (rates["marquee"] / rates["bare"], ""),
        "ratio_flask": (rates["marquee"] / rates["flask"], ""),
        "p99_ms_at_full_load": (median(each.p99_ms for each in loads["marquee"]), "ms"),
        "errors": (sum(each.errors for each in loads["marquee"]), ""),
    }


def constant_rate(name: str, port: int, scale: Scale) -> tuple[float, int]:
    """1,000 requests a second, each latency counted from when its request was due.

    Returns:
        The 99th percentile in milliseconds, and how many requests failed.
    """
    chance = random.Random(0)
    users = [
        chance.randint(10**6, 10**9) if chance.random() < NEW else chance.randint(1, USERS)
        for _ in range(10_000)
    ]
    asked = constant.Load(port=port, rate=RATE, connections=64, user_ids=users)
    outcomes = [constant.send(asked, scale.constant_seconds) for _ in range(scale.runs)]
    for outcome in outcomes:
        say(f"{name}: {outcome.percentile(0.99) * 1000:.1f} ms, failures {outcome.failures}")
    p99_ms = median(each.percentile(0.99) * 1000 for each in outcomes)
    return p99_ms, sum(each.failed for each in outcomes)


def measure(scale: Scale, folder: Path) -> Figures:
    """Each figure with its unit."""
    with migrated_database("bench") as name:
        conninfo = as_role(name, "marquee")
        load_movielens(conninfo)
        with ways(folder, conninfo) as running:
            measured = answering(running, scale, folder, conninfo)
            given = answers_given(running.slots["marquee"])
            with suppress(AssertionError):
                eventually(lambda: stored_receipts(conninfo) >= given, seconds=60)
            measured["answers_given"] = (given, "")
            measured["receipts_landed"] = (stored_receipts(conninfo), "")
    with migrated_database("bench") as name:
        conninfo = as_role(name, "marquee")
        (folder / "freshness").mkdir()
        measured |= freshness(folder / "freshness", conninfo)
        measured |= growth(folder, conninfo)
        measured |= explaining(folder / "explained", conninfo)
        measured |= lost_by_sigkill(folder / "killed", conninfo) | diversity()
    with migrated_database("bench") as name:
        return measured | attacked(name, scale.attack_seconds)


def answering(running: Ways, scale: Scale, folder: Path, conninfo: str) -> Figures:
    """How many answers, and how late they are, alone and beside a training."""
    door = running.doors["marquee"]
    measured = throughput(running, scale, folder)
    p99_ms, failed = constant_rate("p99_ms", door, scale)
    with training_beside(folder, conninfo):
        beside_ms, failed_beside = constant_rate("p99_during_training_ms", door, scale)
    errors, _ = measured["errors"]
    return measured | {
        "p99_ms": (p99_ms, "ms"),
        "p99_during_training_ms": (beside_ms, "ms"),
        "errors": (errors + failed + failed_beside, ""),
    }


def say(line: str) -> None:
    """Progress, for people."""
    print(line, flush=True)  # noqa: T201 -- what a benchmark is for


def main(scale: str = "small") -> None:
    """Measure serving and write build/bench/serving.json."""
    commit = measured_commit()
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(SCALES[scale], Path(folder))
    write("serving", measured, SCALES[scale].runs, commit)


if __name__ == "__main__":
    typer.run(main)

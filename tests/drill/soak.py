"""A stack in time-lapse for hours: what grows in each service, how fast, and where it ends.

    python -m tests.drill.soak 2h

Samples memory, files, processes, zombies, series, connections, jobs and volumes all the while.
Prints the slope of each that grows and when a memory limit would be reached; all of it is in
build/drill/soak.json, written anew with each sample: a run ended early tells what it saw.
Exit status 1: a service was restarted, or left a zombie.
"""

import json
import os
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from math import inf

import typer

from monitoring.status.containers import LONG_RUNNING
from tests.benchmarks.report import ROOT
from tests.drill.slopes import hours_until, slope_per_hour
from tests.end_to_end.conftest import Stack
from tests.end_to_end.test_4_alerts import ask
from tests.engine import docker

SAMPLES = 60
UNITS = {"s": 1, "m": 60, "h": 3600}
SERVICES = (*LONG_RUNNING, "simulator")
OF_PROCESSES = {
    "resident_bytes": (
        'sum by (container) (namedprocess_namegroup_memory_bytes{memtype="resident"})'
    ),
    "processes": "sum by (container) (namedprocess_namegroup_num_procs)",
    "threads": "sum by (container) (namedprocess_namegroup_num_threads)",
    "zombies": 'sum by (container) (namedprocess_namegroup_states{state="Zombie"})',
}
"""Of every container on this host; those of this stack are told."""
OF_SERVICES = {
    "files": "max by (service) (process_open_fds)",
    "series": "sum by (service) (scrape_samples_scraped)",
}
MEMORY = re.compile(r"([\d.]+)([KMG]?i?)B")
BYTES = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
CONNECTIONS = "SELECT usename, count(*) FROM pg_stat_activity WHERE usename IS NOT NULL GROUP BY 1"
JOBS = "SELECT queue_name, count(*) FROM procrastinate_jobs GROUP BY 1"
Key = tuple[str, str]
"""A figure and the service, role, queue or volume that it is of."""


def seconds_of(duration: str) -> int:
    """Of `90s`, `30m` or `2h`."""
    parts = re.fullmatch(r"([1-9]\d*)([smh])", duration)
    if parts is None:
        raise typer.BadParameter(f"{duration!r} is no duration, such as 30m or 2h")
    return int(parts[1]) * UNITS[parts[2]]


def containers(stack: Stack) -> dict[str, str]:
    """The first twelve digits of each container's id, and its service."""
    return {stack.container(service)["Id"][:12]: service for service in SERVICES}


def sample(stack: Stack, service_of: Mapping[str, str]) -> Iterator[tuple[Key, float]]:
    """Each figure as it is now."""
    for container, used in memory(service_of):
        yield ("memory_bytes", service_of[container]), used
    for figure, query in OF_PROCESSES.items():
        for found in ask(query):
            if service := service_of.get(found["metric"].get("container", "")):
                yield (figure, service), float(found["value"][1])
    for figure, query in OF_SERVICES.items():
        for found in ask(query):
            yield (figure, found["metric"].get("service", "")), float(found["value"][1])
    for figure, statement in (("connections", CONNECTIONS), ("jobs", JOBS)):
        for name, count in stack.sql(statement):
            yield (figure, str(name)), float(count)
    for name, size in volumes():
        yield ("volume_bytes", name), size


def memory(service_of: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    """What each container holds by the engine's count, page cache included that is used often.

    The kernel drops that before a limit is reached; what processes hold themselves is resident.
    """
    form = "{{.ID}} {{.MemUsage}}"
    for line in docker("stats", "--no-stream", "--format", form, *service_of).splitlines():
        container, used = line.split()[:2]
        number, unit = MEMORY.fullmatch(used).groups()  # type: ignore[union-attr] # the engine's own form
        yield container[:12], float(number) * BYTES[unit]


def volumes() -> Iterator[tuple[str, float]]:
    """The bytes of each volume of this stack, counted in it."""
    project = os.environ["COMPOSE_PROJECT_NAME"]
    listed = docker("volume", "ls", "--quiet", f"--filter=name=^{project}_")
    mounts = [f"--volume={name}:/volumes/{name}:ro" for name in listed.split()]
    image = f"{os.environ['IMAGE_PREFIX']}/tests"
    command = ("sh", "-c", "du --summarize --bytes /volumes/*")
    for line in docker("run", "--rm", "--network=none", *mounts, image, *command).splitlines():
        size, _, folder = line.partition("\t")
        yield folder.removeprefix(f"/volumes/{project}_"), float(size)


def limits(stack: Stack) -> dict[Key, float]:
    """The memory that each service may take; nothing else has a bound here."""
    may_take = {
        service: float(stack.container(service)["HostConfig"]["Memory"]) for service in SERVICES
    }
    return {
        (figure, service): limit
        for figure in ("memory_bytes", "resident_bytes")
        for service, limit in may_take.items()
    }


def restarts(stack: Stack) -> dict[str, int]:
    """How often the engine has started each service anew."""
    return {service: int(stack.container(service)["RestartCount"]) for service in SERVICES}


def soak(duration: str) -> None:
    """Watch for so long, such as 2h; then tell what grew."""
    seconds, stack = seconds_of(duration), Stack(int(os.environ["NGINX_PORT"]))
    service_of, before, bounds = containers(stack), restarts(stack), limits(stack)
    begun = time.monotonic()
    seen: dict[Key, list[tuple[float, float]]] = defaultdict(list)
    for number in range(SAMPLES):
        time.sleep(max(0.0, begun + (number + 1) * seconds / SAMPLES - time.monotonic()))
        for key, value in sample(stack, service_of):
            seen[key].append((time.monotonic() - begun, value))
        report = [told(key, samples, bounds.get(key, inf)) for key, samples in sorted(seen.items())]
        write(report, time.monotonic() - begun)
    for line in report:
        if line["per_hour"]:
            typer.echo(rendered(line))
    again = {service for service, count in restarts(stack).items() if count > before[service]}
    zombies = {
        name for (figure, name), found in seen.items() if figure == "zombies" and found[-1][1]
    }
    typer.echo(f"restarted: {sorted(again) or 'none'}; zombies in: {sorted(zombies) or 'none'}")
    sys.exit(1 if again or zombies else 0)


def told(key: Key, samples: list[tuple[float, float]], bound: float) -> dict[str, object]:
    """A figure's line in the report."""
    hours = hours_until(bound, samples)
    return {
        "figure": key[0],
        "of": key[1],
        "first": samples[0][1],
        "last": samples[-1][1],
        "per_hour": slope_per_hour(samples),
        "hours_until_limit": None if hours == inf else hours,
    }


def write(report: list[dict[str, object]], seconds: float) -> None:
    """All that was seen within so many seconds, into its file."""
    target = ROOT / "build" / "drill" / "soak.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"seconds": round(seconds), "figures": report}, indent=2) + "\n")


def rendered(line: dict[str, object]) -> str:
    """A line of the report as a line of text."""
    begin = f"{line['figure']:14} {line['of']:20} {line['first']:14,.0f} → {line['last']:14,.0f}"
    hours = line["hours_until_limit"]
    end = f", {hours:,.0f} h to its limit" if hours else ""
    return f"{begin} {line['per_hour']:+14,.1f} an hour{end}"


if __name__ == "__main__":
    typer.run(soak)

"""What `docker compose ps` says of the services, and whether that is as it should be."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from monitoring.errors import ListingError

LONG_RUNNING = (
    "kafka",
    "postgres",
    "ingest",
    "retention",
    "trainer",
    "recommender-blue",
    "recommender-green",
    "nginx",
    "evaluation",
    "releaser",
    "backup",
    "prometheus",
    "alertmanager",
    "node-exporter",
    "nginx-exporter",
    "postgres-exporter",
    "process-exporter",
    "mtail",
)
"""Services without which the system is not whole; others may be left out or end."""


@dataclass(frozen=True)
class Service:
    """A service and how it is."""

    name: str
    state: str
    """`running, healthy`, `exited (0)`, … or `absent`."""
    well: bool


def services(listing: str) -> list[Service]:
    """The services of a `docker compose ps --all --format json`, and those absent from it.

    Compose 2.21 and later print an object a line, earlier ones an array; both are read.

    Raises:
        ListingError: the text is neither.
    """
    there = [_service(container) for container in _containers(listing)]
    names = {service.name for service in there}
    absent = [Service(name, "absent", well=False) for name in LONG_RUNNING if name not in names]
    return sorted(there + absent, key=_rank)


def project(listing: str) -> str:
    """The name of the stack in such a listing, as Compose knows it; empty where none is there.

    Raises:
        ListingError: the text is no such listing.
    """
    return next((str(container.get("Project", "")) for container in _containers(listing)), "")


def _containers(listing: str) -> Iterator[dict[str, object]]:
    try:
        for line in listing.splitlines():
            if line.strip():
                found = json.loads(line)
                yield from found if isinstance(found, list) else [found]
    except ValueError as error:
        raise ListingError(f"no output of `docker compose ps --format json`: {error}") from error


def _service(container: dict[str, object]) -> Service:
    try:
        name, state = str(container["Service"]), str(container["State"])
    except (KeyError, TypeError) as error:
        raise ListingError(f"a container without {error}") from error
    health, code = container.get("Health") or "", container.get("ExitCode", 0)
    if state == "running":
        return Service(name, f"{state}, {health}" if health else state, health != "unhealthy")
    ended_well = name not in LONG_RUNNING and state == "exited" and code == 0
    return Service(name, f"{state} ({code})" if state == "exited" else state, ended_well)


def _rank(service: Service) -> tuple[int, str]:
    known = service.name in LONG_RUNNING
    return LONG_RUNNING.index(service.name) if known else len(LONG_RUNNING), service.name

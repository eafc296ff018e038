"""What each of a stack's volumes takes on the disk, as the engine says."""

import json
import re
from collections.abc import Iterator

from monitoring.errors import ListingError
from monitoring.status.overview import Fact

PROJECT, VOLUME = "com.docker.compose.project", "com.docker.compose.volume"
SIZE = re.compile(r"([\d.]+)([kMGTP]?)B")
FACTOR = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}


def volume_sizes(listing: str, project: str) -> list[Fact]:
    """One line for each volume of a stack that holds anything, the largest first.

    Args:
        listing: `docker system df --verbose --format '{{json .Volumes}}'`, of all stacks.
        project: the stack's name for Compose.

    Raises:
        ListingError: the text is no such listing.
    """
    try:
        found = [(name, size, _bytes(size)) for name, size in _volumes(listing, project)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ListingError(f"no listing of volumes by `docker system df`: {error!r}") from error
    largest_first = sorted(found, key=lambda volume: (-volume[2], volume[0]))
    return [Fact(f"volume {name}", size) for name, size, number in largest_first if number]


def _volumes(listing: str, project: str) -> Iterator[tuple[str, str]]:
    for volume in json.loads(listing):
        labels = dict(label.partition("=")[::2] for label in volume["Labels"].split(","))
        if labels.get(PROJECT) == project:
            yield labels[VOLUME], volume["Size"]


def _bytes(size: str) -> float:
    """How many bytes `59.87MB` are; the engine counts in powers of ten."""
    parts = SIZE.fullmatch(size)
    if parts is None:
        raise ValueError(f"{size!r} is no size")
    return float(parts[1]) * FACTOR[parts[2]]

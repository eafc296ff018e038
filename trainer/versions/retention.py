"""Which versions are kept: the newest, and whatever is or may soon be answering.

Of an older one to which a receipt still points, the manifest and the lists stay: they explain
the answer. Its arrays go. Above the disk budget, the oldest of those kept go as well.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.versions.directory import (
    is_stripped,
    remove_version,
    strip_version,
    version_bytes,
    version_names,
)


@dataclass(frozen=True)
class Keeping:
    """Which versions stay on the models volume: the rules, as settings state them."""

    newest: int
    """Number of newest versions that stay in any case."""
    bytes_in_all: float
    """What all versions may take; what is needed stays even if it takes more."""
    needed: Collection[str]
    """Versions that stay however old they are: live, standby, assigned to a slot."""
    explained: Collection[str]
    """Versions whose answers people may still ask about: their lists and manifest stay."""


@dataclass(frozen=True)
class Removals:
    """Which versions lose what, the oldest first."""

    removed: Sequence[str]
    stripped: Sequence[str]


def obsolete(names: Sequence[str], keep: int, needed: Iterable[str]) -> list[str]:
    """The versions that may go.

    Args:
        names: every version, oldest first.
        keep: how many of the newest stay.
        needed: what stays however old it is.
    """
    newest = names[max(0, len(names) - keep) :]
    return [name for name in names if name not in {*newest, *needed}]


def over_budget(sizes: Mapping[str, int], keeping: Keeping) -> list[str]:
    """The oldest that have to go until the rest fits; never the newest, never what is needed.

    Args:
        sizes: bytes of each version, oldest first.
        keeping: what is kept.
    """
    left, leaving = sum(sizes.values()), []
    for name in list(sizes)[:-1]:
        if left > keeping.bytes_in_all and name not in keeping.needed:
            leaving.append(name)
            left -= sizes[name]
    return leaving


def plan(versions: Path, keeping: Keeping) -> Removals:
    """Look at the versions and say which would go; nothing is changed."""
    names = version_names(versions)
    leaving = obsolete(names, keeping.newest, keeping.needed)
    staying = {name: version_bytes(versions, name) for name in names if name not in leaving}
    leaving = sorted([*leaving, *over_budget(staying, keeping)])
    explained = [name for name in leaving if name in keeping.explained]
    return Removals(
        removed=[name for name in leaving if name not in explained],
        stripped=[name for name in explained if not is_stripped(versions, name)],
    )


def collect(versions: Path, planned: Removals) -> None:
    """Remove and strip the versions that the plan names."""
    for name in planned.removed:
        remove_version(versions, name)
    for name in planned.stripped:
        strip_version(versions, name)

"""The directory of all versions: which are there, what they take, and how one goes."""

import shutil
from contextlib import suppress
from pathlib import Path

from compose.service.whole_files import remove
from trainer.errors import NewerVersionError
from trainer.versions.manifest import Manifest

UNFINISHED = ".tmp-"
"""What names start with that are being written or removed; readers never look at them."""


def version_names(versions: Path) -> list[str]:
    """The names of all published versions, oldest first."""
    if not versions.is_dir():
        return []
    return sorted(
        path.name for path in versions.iterdir() if path.is_dir() and not path.name.startswith(".")
    )


def newest_manifests(versions: Path, most: int) -> list[Manifest]:
    """What the newest versions state, oldest first; those that cannot be read are left out."""
    found: list[Manifest] = []
    for name in reversed(version_names(versions)):
        if len(found) == most:
            break
        with suppress(OSError, ValueError, NewerVersionError):
            found.append(Manifest.parse((versions / name / "manifest.json").read_bytes()))
    return found[::-1]


EXPLAINING = frozenset(
    {
        *("manifest.json", "manifest.sha256", "movies.txt", "popular.txt"),
        *("users.npy", "listed.npy", "top_items.npy", "top_scores.npy"),
    }
)


def is_stripped(versions: Path, name: str) -> bool:
    """Whether only the manifest and the lists of a version are left."""
    return not (versions / name / "popular.npy").is_file()


def whole_versions(versions: Path) -> list[str]:
    """The names of all published versions but the stripped ones, oldest first."""
    return [name for name in version_names(versions) if not is_stripped(versions, name)]


def strip_version(versions: Path, name: str) -> None:
    """Keep of a version what explains its answers; nobody can load it any more."""
    for path in (versions / name).iterdir():
        if path.name not in EXPLAINING:
            path.unlink()


def version_bytes(versions: Path, name: str) -> int:
    """What a version takes on the disk."""
    return sum(path.stat().st_size for path in (versions / name).iterdir())


def remove_version(versions: Path, name: str) -> None:
    """Take a version away: at once for whoever lists versions, then file by file."""
    leaving = versions / f"{UNFINISHED}removed-{name}"
    (versions / name).rename(leaving)
    shutil.rmtree(leaving)


def remove_unfinished(versions: Path) -> list[str]:
    """Take away what a killed training or removal left; the names that were removed."""
    left = sorted(versions.glob(f"{UNFINISHED}*"))
    for path in left:
        remove(path)
    return [path.name for path in left]

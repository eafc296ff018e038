"""Files that others read at any moment: whoever looks sees the old one or the new, whole.

They are written beside their place, are on the disk, and then take it by a rename.
"""

import os
import shutil
from pathlib import Path

BESIDE = ".tmp-"
"""What the name of a file starts with that is being written; readers never look at it."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that whoever reads it sees all of the old or all of the new content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{BESIDE}{path.name}")
    remove(temporary)
    write_synced(temporary, content)
    rename(temporary, path)


def write_synced(path: Path, content: bytes) -> None:
    """Write a file that is on the disk when this returns."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def rename(source: Path, target: Path) -> None:
    """Put one in the place of the other; it has happened for good when this returns."""
    source.replace(target)
    sync(target.parent)


def remove(path: Path) -> None:
    """Take away what is there, if anything: a file, a link, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a directory, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

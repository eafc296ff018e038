"""The tree that a caller sends, and the files it gets back: both are archives of the tar kind."""

import io
import os
import stat
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

LARGEST_TREE = 128 * 2**20
LARGEST_RESULT = 32 * 2**20


class TreeError(Exception):
    """What was sent is no archive of a tree that may be unpacked."""


def unpack(archive: BinaryIO, folder: Path) -> None:
    """Unpack plain files, folders and links that stay inside; nothing of it is ever run here.

    Raises:
        TreeError: it is no such archive, or does not fit.
    """
    try:
        with tarfile.open(fileobj=archive, mode="r|") as tree:
            tree.extractall(folder, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise TreeError(f"the tree cannot be unpacked: {error}") from error


def packed(folder: Path, names: Iterable[str]) -> bytes:
    """An archive of those of the files that are there.

    What ran wrote them, so what is no plain file or too large is left out.
    """
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for name in names:
            found = _read(folder / name)
            if found is not None:
                content, changed = found
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                entry.mtime = changed  # Jenkins leaves out tests from before its build
                archive.addfile(entry, io.BytesIO(content))
    return whole.getvalue()


def _read(path: Path) -> tuple[bytes, float] | None:
    """What is in it, and when it was changed last."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_RESULT:
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(LARGEST_RESULT), found.st_mtime

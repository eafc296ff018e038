"""Write a version into a directory of its own: whole or not at all.

versions/20250131-030000-ease/
    manifest.json      what it is, from which data, by which code, how good; sha256 of each file
    manifest.sha256    sha256 of the manifest itself, as `sha256sum` writes it
    movies.txt         one movie id a line; the line's number is the item index
    popular.txt        the 100 most popular movies, what is answered when no slot answers
    *.svg              figures and data in pictures, for people
    *.npy              arrays, read by mapping them
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from compose.service.whole_files import sync
from trainer.errors import ExistingVersionError
from trainer.versions.contents import LIST_LENGTH, Contents, Lists
from trainer.versions.directory import UNFINISHED
from trainer.versions.item_models.kinds import name_of
from trainer.versions.manifest import Manifest


def version_name(now: datetime, algorithm: str) -> str:
    """The name of a version trained at `now` (UTC): names sort by time."""
    return f"{now:%Y%m%d-%H%M%S}-{algorithm}"


def write_version(
    versions: Path,
    manifest: Manifest,
    contents: Contents[Lists],
    pictures: Mapping[str, bytes] = MappingProxyType({}),
) -> Manifest:
    """Publish a version: it appears under its name when all of it is on the disk.

    Args:
        versions: the directory that holds all versions; made if it is not there.
        manifest: as it shall be, but for `files` and `item_model`.
        contents: everything that is read.
        pictures: further files, by name, for people.

    Returns:
        The manifest as it was written.

    Raises:
        ExistingVersionError: there is a version of that name.
        OSError: it could not be written; nothing was published.
    """
    target = versions / manifest.version
    if target.exists():
        raise ExistingVersionError(f"version {manifest.version} is there already")
    unfinished = versions / f"{UNFINISHED}{manifest.version}"
    unfinished.mkdir(parents=True)
    for name, picture in pictures.items():
        with _new_file(unfinished / name) as file:
            file.write(picture)
    files, item_model = _write_contents(unfinished, contents), name_of(contents.model)
    written = replace(manifest, files=files, item_model=item_model)
    _write_manifest(unfinished, written)
    sync(unfinished)
    unfinished.rename(target)
    sync(versions)
    return written


def _write_contents(directory: Path, contents: Contents[Lists]) -> dict[str, str]:
    movies = "".join(f"{movie}\n" for movie in contents.movies)
    popular = [contents.movies[item] for item in contents.popular[:LIST_LENGTH]]
    with _new_file(directory / "movies.txt") as file:
        file.write(movies.encode())
    with _new_file(directory / "popular.txt") as file:
        file.write(f"{','.join(popular)}\n".encode())
    for name, array in contents.arrays().items():
        with _new_file(directory / f"{name}.npy") as file:
            np.save(file, array, allow_pickle=False)
    _write_lists(directory, contents.list_count, contents.top)
    return {path.name: _sha256(path) for path in sorted(directory.iterdir())}


def _write_lists(directory: Path, count: int, top: Lists) -> None:
    header = {"fortran_order": False, "shape": (count, LIST_LENGTH)}
    with (
        _new_file(directory / "top_items.npy") as items,
        _new_file(directory / "top_scores.npy") as scores,
    ):
        npy.write_array_header_1_0(items, {"descr": "<i4", **header})
        npy.write_array_header_1_0(scores, {"descr": "<f4", **header})
        for piece in top.pieces():
            items.write(np.ascontiguousarray(piece.items, "<i4"))
            scores.write(np.ascontiguousarray(piece.scores, "<f4"))


def _write_manifest(directory: Path, manifest: Manifest) -> None:
    text = manifest.text()
    with _new_file(directory / "manifest.json") as file:
        file.write(text)
    with _new_file(directory / "manifest.sha256") as file:
        file.write(f"{hashlib.sha256(text).hexdigest()}  manifest.json\n".encode())


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    with path.open("xb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

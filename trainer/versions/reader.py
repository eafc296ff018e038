"""Read a version from its directory; refused when anything in it is not what was written.

The recommender reads versions with this module, so it needs NumPy and SciPy only.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.errors import DamagedVersionError, NewerVersionError
from trainer.versions.contents import (
    ARRAY_NAMES,
    LISTED_NAME,
    POPULARITY_NAME,
    RATINGS_NAME,
    Contents,
    ModelVersion,
    SeenItems,
    TopLists,
)
from trainer.versions.item_models.kinds import ITEM_MODELS
from trainer.versions.manifest import Manifest
from trainer.versions.popularity_prior import Held, Holding


def read_version(directory: Path) -> ModelVersion:
    """Check every file of a version against its sha256, and map its arrays.

    Raises:
        DamagedVersionError: it is incomplete, or not what was written.
        NewerVersionError: it was written by a later schema.
    """
    with _named(directory):
        manifest = Manifest.parse(_verified_manifest(directory))
        names = _array_names(manifest)
        _verify_files(directory, manifest, names)
        movies = tuple((directory / "movies.txt").read_text().split("\n")[:-1])
        arrays = {name: _map(directory / f"{name}.npy") for name in names}
        return ModelVersion(manifest, movies, _contents(manifest, movies, arrays))


def _array_names(manifest: Manifest) -> Sequence[str]:
    if manifest.item_model not in ITEM_MODELS:
        raise NewerVersionError(f"the algorithm {manifest.algorithm} is newer than this code")
    kept = [name for name in (RATINGS_NAME, LISTED_NAME) if f"{name}.npy" in manifest.files]
    kept += [POPULARITY_NAME] if manifest.held else []
    return (*ARRAY_NAMES, *kept, *ITEM_MODELS[manifest.item_model].array_names)


@contextmanager
def _named(directory: Path) -> Iterator[None]:
    try:
        yield
    except (NewerVersionError, DamagedVersionError) as error:
        raise type(error)(f"version {directory.name}: {error}") from error
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        raise DamagedVersionError(f"version {directory.name}: {missing} is missing") from error
    except (OSError, ValueError, KeyError) as error:
        raise DamagedVersionError(f"version {directory.name}: {error}") from error


def _verified_manifest(directory: Path) -> bytes:
    text = (directory / "manifest.json").read_bytes()
    stated = (directory / "manifest.sha256").read_text(errors="replace").split(" ")[0]
    if hashlib.sha256(text).hexdigest() != stated:
        raise DamagedVersionError("manifest.json is not what was written")
    return text


def _verify_files(directory: Path, manifest: Manifest, names: Sequence[str]) -> None:
    needed = {"movies.txt", "popular.txt", *(f"{name}.npy" for name in names)}
    if unlisted := needed - manifest.files.keys():
        raise DamagedVersionError(f"manifest.json does not list {min(unlisted)}")
    for name, stated in manifest.files.items():
        with (directory / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != stated:
                raise DamagedVersionError(f"{name} is not what was written")


def _map(path: Path) -> NDArray[Any]:
    array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def _contents(
    manifest: Manifest, movies: Sequence[str], arrays: Mapping[str, NDArray[Any]]
) -> Contents:
    popular = arrays["popular"]
    return Contents(
        movies=movies,
        users=arrays["users"],
        popular=popular,
        top=TopLists(arrays["top_items"], arrays["top_scores"]),
        seen=SeenItems(arrays["seen_indptr"], arrays["seen_indices"], arrays.get(RATINGS_NAME)),
        model=ITEM_MODELS[manifest.item_model].restore(manifest.parameters, popular, arrays),
        held=Held(Holding(**manifest.held), arrays[POPULARITY_NAME]) if manifest.held else None,
        listed=arrays.get(LISTED_NAME),
    )

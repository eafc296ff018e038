"""A version directory: written whole or not at all, and refused when anything in it is wrong.

The recommender reads versions with this module, so it needs NumPy and SciPy only.

    versions/20250131-030000-ease/
        manifest.json      what it is, from which data, by which code, how good; sha256 of each file
        manifest.sha256    sha256 of the manifest itself, as `sha256sum` writes it
        movies.txt         one movie id a line; the line's number is the item index
        popular.txt        the 100 most popular movies, what is answered when no slot answers
        *.png              figures and data in pictures, for people
        *.npy              arrays, read by mapping them
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple, Protocol, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from trainer.errors import DamagedVersionError, ExistingVersionError, NewerVersionError
from trainer.versions.holding import Held, Holding
from trainer.versions.item_models import ItemModel, Items, Ratings, Scores
from trainer.versions.manifest import Manifest
from trainer.versions.saved_models import ITEM_MODELS, name_of

LIST_LENGTH = 100
ANSWER_LENGTH = 20
PADDING = -1
UNFINISHED = ".tmp-"
"""What names start with that are being written or removed; readers never look at them."""

ARRAY_NAMES = ("users", "popular", "top_items", "top_scores", "seen_indptr", "seen_indices")
RATINGS_NAME = "seen_ratings"
"""An array that the first versions did not have."""
POPULARITY_NAME = "popularity_scores"
"""An array that versions have whose scores are held towards it."""


@dataclass(frozen=True)
class TopLists:
    """The best items of each known user, computed ahead."""

    items: Items
    """int32 [users, 100], best first; `PADDING` where there were fewer."""
    scores: Scores
    """float32 [users, 100]."""

    def pieces(self) -> Iterator[Self]:
        """All of them at once, as they are there."""
        yield self


class Lists(Protocol):
    """Top lists, there or yet to be computed."""

    def pieces(self) -> Iterator[TopLists]:
        """The lists of all users in their order, of some users at a time."""
        ...


@dataclass(frozen=True)
class SeenItems:
    """The items that each known user rated or watched, as the two index arrays of a CSR matrix."""

    indptr: NDArray[np.int64]
    """int64 [users + 1]."""
    indices: Items
    """int32 [interactions]."""
    ratings: Ratings | None = None
    """float32 [interactions], NaN where only watched; None in versions that did not keep them."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What there is, by the name of its file without `.npy`."""
        kept = {} if self.ratings is None else {RATINGS_NAME: self.ratings}
        return {"seen_indptr": self.indptr, "seen_indices": self.indices, **kept}


@dataclass(frozen=True)
class Contents[Top: Lists = TopLists]:
    """What a version holds beside its manifest; its lists may be computed as they are written."""

    movies: Sequence[str]
    users: NDArray[np.int64]
    """int64 [users], ascending."""
    popular: Items
    """int32 [items]: every item, most popular first."""
    top: Top
    seen: SeenItems
    model: ItemModel
    held: Held | None = None
    """What its scores are held towards; None where they are the model's own."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every array but the lists, by the name of its file without `.npy`."""
        return {
            "users": self.users,
            "popular": self.popular,
            **self.seen.arrays(),
            **self.model.arrays(),
            **({POPULARITY_NAME: self.held.popularity} if self.held else {}),
        }

    def fold_in(self, items: Items, ratings: Ratings) -> Scores:
        """Score every item for somebody by what they rated; see `ItemModel.fold_in`."""
        scores = self.model.fold_in(items, ratings)
        return self.held(scores[None], self.model)[0] if self.held else scores


class UserRecord(NamedTuple):
    """What a version holds of one user."""

    is_known: bool
    """Whether it was trained on them."""
    top_items: Items
    """int32 [n], at most 100: their list, best first."""
    top_scores: Scores
    """float32 [n]."""
    seen: Items
    """int32 [m]: what they had rated or watched at training."""
    ratings: Ratings | None
    """float32 [m], NaN where only watched; None in versions that did not keep them."""


STRANGER = UserRecord(
    is_known=False,
    top_items=np.empty(0, np.int32),
    top_scores=np.empty(0, np.float32),
    seen=np.empty(0, np.int32),
    ratings=np.empty(0, np.float32),
)


@dataclass(frozen=True)
class ModelVersion:
    """A version that was read and found whole; its arrays are mapped, not loaded."""

    manifest: Manifest
    movies: tuple[str, ...]
    """The movie ids; an item index is a place in here."""
    contents: Contents

    @property
    def name(self) -> str:
        """The version's name."""
        return self.manifest.version

    @property
    def popular(self) -> Items:
        """int32 [items]: every item, most popular first."""
        return self.contents.popular

    @cached_property
    def movie_index(self) -> Mapping[str, int]:
        """Item index by movie id."""
        return {movie: index for index, movie in enumerate(self.movies)}

    def user(self, user_id: int) -> UserRecord:
        """What the version holds of a user; an empty record for somebody it was not trained on."""
        contents, users = self.contents, self.contents.users
        row = int(np.searchsorted(users, user_id))
        if row == len(users) or users[row] != user_id:
            return STRANGER
        top, seen = contents.top.items[row], contents.seen
        listed = top != PADDING
        known = slice(*seen.indptr[row : row + 2].tolist())
        listed &= known.stop - known.start >= self.manifest.personal_from
        return UserRecord(
            is_known=True,
            top_items=top[listed],
            top_scores=contents.top.scores[row][listed],
            seen=seen.indices[known],
            ratings=None if seen.ratings is None else seen.ratings[known],
        )

    def fold_in(self, items: Items, ratings: Ratings) -> Scores:
        """Score every item for somebody by what they rated; see `ItemModel.fold_in`."""
        return self.contents.fold_in(np.asarray(items, np.int32), np.asarray(ratings, np.float32))


def version_name(now: datetime, algorithm: str) -> str:
    """The name of a version trained at `now` (UTC): names sort by time."""
    return f"{now:%Y%m%d-%H%M%S}-{algorithm}"


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
    kept = [RATINGS_NAME] if f"{RATINGS_NAME}.npy" in manifest.files else []
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
    )


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
    _sync(unfinished)
    unfinished.rename(target)
    _sync(versions)
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
    _write_lists(directory, len(contents.users), contents.top)
    return {path.name: _sha256(path) for path in sorted(directory.iterdir())}


def _write_lists(directory: Path, users: int, top: Lists) -> None:
    header = {"fortran_order": False, "shape": (users, LIST_LENGTH)}
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


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def version_names(versions: Path) -> list[str]:
    """The names of all published versions, oldest first."""
    if not versions.is_dir():
        return []
    return sorted(path.name for path in versions.iterdir() if not path.name.startswith("."))


EXPLAINING = frozenset(
    {
        *("manifest.json", "manifest.sha256", "movies.txt", "popular.txt"),
        *("users.npy", "top_items.npy", "top_scores.npy"),
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
        shutil.rmtree(path)
    return [path.name for path in left]

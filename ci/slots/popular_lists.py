"""What Nginx answers when no slot does: a version's most popular movies, in each length and form.

popular/list.txt          the usual answer
popular/<version>/N.txt   N movies as one line, N from 1 to 100
popular/<version>/N.json  the same as the slots' JSON; Nginx puts the user's id in (SSI)
popular/live              leads to the version's folder; it changes by one rename
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from compose.service.whole_files import BESIDE, remove, rename, sync, write_synced, write_whole

LENGTHS = range(1, 101)
USUAL_LENGTH = 20
USER_ID = '<!--# echo var="user_id" -->'


def publish_popular(root: Path, models: Path, version: str) -> None:
    """Give Nginx the popularity lists of a version; a second time changes nothing.

    Args:
        root: the state volume.
        models: the models volume.
        version: whose lists.

    Raises:
        FileNotFoundError: the version is not on the models volume.
    """
    line = (models / "versions" / version / "popular.txt").read_text().removesuffix("\n")
    movies = [movie for movie in line.split(",") if movie]
    _publish(root / "popular", version, movies, version)


def publish_so_far(root: Path, movies: Sequence[str]) -> None:
    """Give Nginx lists that no version is behind; the same movies again change nothing.

    Args:
        root: the state volume.
        movies: the most popular first.
    """
    name = f"so-far-{hashlib.sha256(as_line(movies)).hexdigest()[:16]}"
    _publish(root / "popular", name, movies, None)


def _publish(popular: Path, name: str, movies: Sequence[str], version: str | None) -> None:
    write_whole(popular / "list.txt", as_line(movies[:USUAL_LENGTH]))
    _make_folder(popular / name, movies, version)
    _lead_to(popular / "live", name)
    for other in popular.iterdir():
        if other.is_dir() and other.name not in {"live", name}:
            shutil.rmtree(other)


def _make_folder(folder: Path, movies: Sequence[str], version: str | None) -> None:
    """Write all lists beside their place, and rename them over it."""
    if folder.exists():
        return
    unfinished = folder.with_name(f"{BESIDE}{folder.name}")
    remove(unfinished)
    unfinished.mkdir()
    for name, content in _files(movies, version):
        write_synced(unfinished / name, content)
    sync(unfinished)
    rename(unfinished, folder)


def _files(movies: Sequence[str], version: str | None) -> Iterator[tuple[str, bytes]]:
    for length in LENGTHS:
        yield f"{length}.txt", as_line(movies[:length])
        yield f"{length}.json", as_json(movies[:length], version)


def as_line(movies: Sequence[str]) -> bytes:
    """One line of movie ids."""
    return f"{','.join(movies)}\n".encode()


def as_json(movies: Sequence[str], version: str | None) -> bytes:
    """An answer as `recommender/openapi.yaml` has it: of nobody's own, so without a receipt.

    What stands in a movie's id is never taken for something that Nginx should put in.
    """
    told = {
        "movies": [{"movie_id": movie, "score": None} for movie in movies],
        "reason": "popular",
        "model_version": version,
        "receipt_id": None,
    }
    rest = json.dumps(told, separators=(",", ":")).replace("<", "\\u003c")
    return f'{{"user_id":{USER_ID},{rest[1:]}\n'.encode()


def _lead_to(link: Path, target: str) -> None:
    temporary = link.with_name(f"{BESIDE}live")
    remove(temporary)
    temporary.symlink_to(target)
    rename(temporary, link)

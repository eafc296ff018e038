"""What Nginx answers when no slot does: a version's most popular movies, in each length and form.

popular/list.txt          the usual answer
popular/<version>/N.txt   N movies as one line, N from 1 to 100
popular/<version>/N.json  the same as the slots' JSON; Nginx puts the user's id in (SSI)
popular/live              leads to the version's folder; it changes by one rename
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from ci.release.state import rename, sync, write_synced, write_whole

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
    popular = root / "popular"
    write_whole(popular / "list.txt", as_line(movies[:USUAL_LENGTH]))
    _make_folder(popular / version, movies)
    _lead_to(popular / "live", version)
    for other in popular.iterdir():
        if other.is_dir() and other.name not in {"live", version}:
            shutil.rmtree(other)


def _make_folder(folder: Path, movies: Sequence[str]) -> None:
    """Write all lists beside their place, and rename them over it."""
    if folder.exists():
        return
    unfinished = folder.with_name(f".tmp-{folder.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for name, content in _files(movies, folder.name):
        write_synced(unfinished / name, content)
    sync(unfinished)
    rename(unfinished, folder)


def _files(movies: Sequence[str], version: str) -> Iterator[tuple[str, bytes]]:
    for length in LENGTHS:
        yield f"{length}.txt", as_line(movies[:length])
        yield f"{length}.json", as_json(movies[:length], version)


def as_line(movies: Sequence[str]) -> bytes:
    """One line of movie ids."""
    return f"{','.join(movies)}\n".encode()


def as_json(movies: Sequence[str], version: str) -> bytes:
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
    temporary = link.with_name(".tmp-live")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    rename(temporary, link)

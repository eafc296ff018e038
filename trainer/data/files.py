"""The interactions of a training as files, so that it can be done again from the same data."""

from pathlib import Path

import numpy as np

from trainer.data.interactions import Catalogue, Interactions

ARRAYS = ("users", "indptr", "items", "ratings", "times")


def write_interactions(directory: Path, interactions: Interactions) -> None:
    """One `.npy` for each array, and the movie ids one a line; the directory is made."""
    directory.mkdir(parents=True)
    for name in ARRAYS:
        np.save(directory / f"{name}.npy", getattr(interactions, name), allow_pickle=False)
    catalogue = interactions.catalogue
    np.save(directory / "years.npy", catalogue.years, allow_pickle=False)
    np.save(directory / "genres.npy", catalogue.genres, allow_pickle=False)
    (directory / "movies.txt").write_text("".join(f"{movie}\n" for movie in interactions.movies))


def read_interactions(directory: Path) -> Interactions:
    """What `write_interactions` wrote.

    Raises:
        OSError: something is missing.
        ValueError: something is no array.
    """
    arrays = {
        name: np.load(directory / f"{name}.npy", allow_pickle=False)
        for name in (*ARRAYS, "years", "genres")
    }
    described = Catalogue(arrays.pop("years"), arrays.pop("genres"))
    movies = tuple((directory / "movies.txt").read_text().split("\n")[:-1])
    return Interactions(movies=movies, described=described, **arrays)

"""MovieLens small as the trainer's matrix: what most of its benchmarks are measured on."""

import csv
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tests.benchmarks.report import ROOT
from trainer.data.interactions import Catalogue, Interactions, Scale

MOVIELENS = ROOT / "compose" / "simulator" / "movielens"
SCALE = Scale(0.5, 5)


def movielens() -> Interactions:
    """MovieLens small; ids are padded, so that their order is that of the numbers."""
    with (MOVIELENS / "ratings.csv").open(encoding="utf-8") as file:
        rows = np.array([[float(cell) for cell in row] for row in list(csv.reader(file))[1:]])
    movies, codes = np.unique(rows[:, 1].astype(np.int64), return_inverse=True)
    interactions = Interactions.assemble(
        rows[:, 0].astype(np.int64),
        [f"{movie:06}" for movie in movies],
        codes.astype(np.int32),
        rows[:, 2].astype(np.float32),
        (rows[:, 3] * 1e6).astype(np.int64),
    )
    catalogue = Catalogue.assemble(interactions.movies, dict(described()))
    return replace(interactions, described=catalogue)


def described() -> Iterator[tuple[str, tuple[int | None, list[str]]]]:
    """Year and genres of each movie, from its title and its list."""
    with (MOVIELENS / "movies.csv").open(encoding="utf-8") as file:
        for movie, title, genres in list(csv.reader(file))[1:]:
            year = re.search(r"\((\d{4})\)\s*$", title)
            known = [genre for genre in genres.split("|") if not genre.startswith("(")]
            yield f"{int(movie):06}", (int(year[1]) if year else None, known)

"""What a version's figures and data look like, as pictures in its directory."""

from collections.abc import Iterator
from io import BytesIO

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from trainer.data.interactions import Interactions
from trainer.versions.manifest import Figures


def plots(figures: Figures, interactions: Interactions) -> dict[str, bytes]:
    """PNG files by name; the same input gives the same bytes."""
    return {
        "ranking.png": _picture(_ranking(figures)),
        "data.png": _picture(_data(interactions)),
    }


def _ranking(figures: Figures) -> Figure:
    found = [
        (name, its["ndcg20"])
        for name, its in figures.get("algorithms", {}).items()
        if "ndcg20" in its
    ][::-1]
    picture = Figure(figsize=(8, 1.5 + 0.4 * len(found)), layout="constrained")
    axes = picture.subplots()
    values = np.array([figure["value"] for _, figure in found])
    lows = np.array([figure["low"] for _, figure in found])
    highs = np.array([figure["high"] for _, figure in found])
    axes.barh([name for name, _ in found], values, xerr=[values - lows, highs - values])
    axes.set_xlabel("NDCG@20 on held-out data, with 95 % intervals")
    return picture


def _data(interactions: Interactions) -> Figure:
    picture = Figure(figsize=(8, 3.5), layout="constrained")
    left, right = picture.subplots(1, 2)
    for name, counts in _per_what(interactions):
        left.loglog(np.arange(1, len(counts) + 1), counts, label=name)
    left.set(xlabel="rank", ylabel="interactions")
    left.legend()
    rated = interactions.ratings[~np.isnan(interactions.ratings)]
    values, numbers = np.unique(rated, return_counts=True)
    right.bar([f"{value:g}" for value in values], numbers)
    right.set(xlabel="rating", ylabel="how often")
    return picture


def _per_what(interactions: Interactions) -> Iterator[tuple[str, NDArray[np.int64]]]:
    for name, counts in (
        ("a user", np.diff(interactions.indptr)),
        ("a movie", interactions.counts()),
    ):
        yield name, np.sort(counts[counts > 0])[::-1]


def _picture(figure: Figure) -> bytes:
    file = BytesIO()
    figure.savefig(file, format="png", dpi=100, metadata={"Software": None})
    return file.getvalue()

"""Small model versions for tests, written by the trainer's own writer."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy import sparse

from trainer.versions.artifact import (
    LIST_LENGTH,
    PADDING,
    Contents,
    Manifest,
    ModelVersion,
    SeenItems,
    TopLists,
    read_version,
    write_version,
)
from trainer.versions.item_models import ItemWeightsModel

NAME = "20260101-000000-ease"
MOVIES = tuple(f"movie+{number}+1999" for number in range(60))

Items = Sequence[int]


def publish(  # noqa: PLR0913 -- each test names the two it is about
    models: Path,
    name: str = NAME,
    *,
    movies: Sequence[str] = MOVIES,
    top: Mapping[int, Items] | None = None,
    seen: Mapping[int, Items] | None = None,
    rated: float | None = None,
    likes: Mapping[int, Items] | None = None,
    offsets: Mapping[str, int] | None = None,
) -> ModelVersion:
    """Publish a version and read it back.

    Args:
        models: the models volume.
        name: the version's name.
        movies: the catalogue; the first is the most popular, the last the least.
        top: each known user's list.
        seen: what each known user had seen at training.
        rated: what they rated it; None for a version that does not say.
        likes: for a movie, which movies liking it speaks for, the first most.
        offsets: where the data of the training end, by partition.
    """
    top = top or {}
    manifest = Manifest(
        version=name,
        algorithm="ease",
        parameters={"midpoint": 2.5, "watched_preference": 0.5},
        created_at="2026-01-01T00:00:00+00:00",
        data={"offsets": offsets or {}},
        code={},
        machine={},
        libraries={},
        figures={},
        gate={"verdict": "accepted", "reason": "a test"},
    )
    contents = Contents(
        movies=movies,
        users=np.array(sorted(top), np.int64),
        popular=np.arange(len(movies), dtype=np.int32),
        top=_top_lists(top),
        seen=_seen_items(top, seen or {}, rated),
        model=ItemWeightsModel(_weights(len(movies), likes or {}), 2.5, 0.5),
    )
    write_version(models / "versions", manifest, contents)
    return read_version(models / "versions" / name)


def _top_lists(top: Mapping[int, Items]) -> TopLists:
    items = np.full((len(top), LIST_LENGTH), PADDING, np.int32)
    for row, user in enumerate(sorted(top)):
        items[row, : len(top[user])] = top[user]
    return TopLists(items, np.zeros(items.shape, np.float32))


def _seen_items(
    top: Mapping[int, Items], seen: Mapping[int, Items], rated: float | None
) -> SeenItems:
    rows = [sorted(seen.get(user, ())) for user in sorted(top)]
    indptr = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    items = np.array([item for row in rows for item in row], np.int32)
    ratings = None if rated is None else np.full(len(items), rated, np.float32)
    return SeenItems(indptr, items, ratings)


def _weights(items: int, likes: Mapping[int, Items]) -> sparse.csr_array:
    weights = np.zeros((items, items), np.float32)
    for source, targets in likes.items():
        weights[source, list(targets)] = np.arange(len(targets), 0, -1)
    return sparse.csr_array(weights)

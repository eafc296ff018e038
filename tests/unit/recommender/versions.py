"""Small model versions for tests, written by the trainer's own writer."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy import sparse

from trainer.versions.contents import (
    LIST_LENGTH,
    PADDING,
    Contents,
    ModelVersion,
    SeenItems,
    TopLists,
)
from trainer.versions.item_models.history import Blend, HistoryModel, Recency
from trainer.versions.item_models.item_model import ItemModel
from trainer.versions.item_models.item_weights import ItemWeightsModel
from trainer.versions.manifest import SOURCES, Manifest
from trainer.versions.reader import read_version
from trainer.versions.writer import write_version

NAME = "20260101-000000-ease"
MOVIES = tuple(f"movie+{number}+1999" for number in range(60))

RECENCY = {
    "mean_share": 0.0,
    "recency_steps": 1.0,
    "recency_floor": 0.2,
    "transitions_weight": 1.0,
    "years_weight": 0.0,
    "genres_weight": 0.0,
}

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
    follows: Mapping[int, Items] | None = None,
    offsets: Mapping[str, int] | None = None,
    listed: Items | None = None,
    sources: Mapping[str, Sequence[str]] = SOURCES,
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
        follows: for a movie, which are met right after it, the first most; makes a model that
            goes by the order of a history.
        offsets: where the data of the training end, by partition.
        listed: the known users who have a list; None for all of them.
        sources: from how many things done on, which sources are asked, in which order.
    """
    top = top or {}
    users = sorted(top)
    rows = None if listed is None else np.array([users.index(user) for user in listed], np.int32)
    manifest = Manifest(
        version=name,
        algorithm="ease" if follows is None else "recency_transitions",
        parameters={"midpoint": 2.5, "watched_preference": 0.5, **RECENCY},
        created_at="2026-01-01T00:00:00+00:00",
        data={"offsets": offsets or {}},
        code={},
        machine={},
        libraries={},
        figures={},
        gate={"verdict": "accepted", "reason": "a test"},
        sources=sources,
    )
    contents = Contents(
        movies=movies,
        users=np.array(users, np.int64),
        popular=np.arange(len(movies), dtype=np.int32),
        top=_top_lists(top if listed is None else {user: top[user] for user in listed}),
        seen=_seen_items(top, seen or {}, rated),
        model=_item_model(len(movies), likes or {}, follows),
        listed=rows,
    )
    write_version(models / "versions", manifest, contents)
    return read_version(models / "versions" / name)


def _item_model(
    items: int, likes: Mapping[int, Items], follows: Mapping[int, Items] | None
) -> ItemModel:
    liking = _weights(items, likes)
    if follows is None:
        return ItemWeightsModel(liking, 2.5, 0.5)
    return HistoryModel(
        liking=liking,
        transitions=_weights(items, follows),
        year_places=np.full(items, -1, np.int16),
        year_shares=np.ones(1, np.float32),
        genres=np.zeros((items, 1), np.float32),
        midpoint=2.5,
        mean_share=0.0,
        watched_preference=0.5,
        recency=Recency(RECENCY["recency_steps"], RECENCY["recency_floor"]),
        blend=Blend(1.0, 0.0, 0.0),
    )


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

"""Model versions of any size, drawn by chance and seeded: they cost what real ones cost."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from trainer.versions.artifact import Contents, Manifest, SeenItems, TopLists, write_version
from trainer.versions.item_models import ItemWeightsModel

VERSION = "20260101-000000-ease"
MOVIES, LIST = 9_724, 100
WEIGHTS_A_MOVIE = 256
SEEN = 50
"""Movies that each user met before the training."""


def publish(models: Path, users: int) -> None:
    """A version with MovieLens's catalogue and users 1, 2, 3, …."""
    chance = np.random.default_rng(0)
    top, seen = _lists(chance, users)
    weights = sparse.random_array(
        (MOVIES, MOVIES),
        density=WEIGHTS_A_MOVIE / MOVIES,
        format="csr",
        dtype=np.float32,
        rng=chance,
    )
    contents = Contents(
        movies=[f"a+movie+of+usual+length+{number}+1999" for number in range(MOVIES)],
        users=np.arange(1, users + 1),
        popular=chance.permutation(MOVIES).astype(np.int32),
        top=TopLists(top, np.ones(top.shape, np.float32)),
        seen=SeenItems(
            np.arange(0, (users + 1) * SEEN, SEEN),
            seen.ravel(),
            chance.integers(1, 6, seen.size).astype(np.float32),
        ),
        model=ItemWeightsModel(weights, 2.5, 0.5),
    )
    parameters = {"midpoint": 2.5, "watched_preference": 0.5}
    write_version(models / "versions", manifest(VERSION, "ease", parameters), contents)


def _lists(
    chance: np.random.Generator, users: int
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.int32]], ...]:
    """Lists and seen movies that share none: 1,000 draws, in turn."""
    drawn = np.stack([chance.permutation(MOVIES)[: LIST + SEEN] for _ in range(1000)])
    rows = np.resize(np.arange(1000), users)
    top, seen = drawn[:, :LIST].astype(np.int32), np.sort(drawn[:, LIST:]).astype(np.int32)
    return top[rows], seen[rows]


def manifest(version: str, algorithm: str, parameters: Mapping[str, Any]) -> Manifest:
    """Of a version that only a benchmark serves."""
    return Manifest(
        version=version,
        algorithm=algorithm,
        parameters=parameters,
        created_at=datetime.now(UTC).isoformat(),
        data={"offsets": {}},
        code={},
        machine={},
        libraries={},
        figures={},
        gate={"verdict": "accepted", "reason": "a benchmark"},
    )

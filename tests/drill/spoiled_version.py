"""Publish a version that passed the offline gate and is bad all the same: a mistake made after it.

    docker compose exec -T trainer python - names < tests/drill/spoiled_version.py

It is the newest accepted version with its movies under other movies' names, as if a file had been
written in another order. `names`: nothing else was noticed. `lists`: one movie in four kept its
name, and what people have seen and what is popular is right, so that only people can tell.
Prints the version's name.
"""

import sys
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import psycopg
from numpy.typing import NDArray

from trainer.records import record_version, training_lock
from trainer.settings import Settings
from trainer.versions.contents import PADDING, Contents, SeenItems, TopLists
from trainer.versions.directory import whole_versions
from trainer.versions.reader import read_version
from trainer.versions.writer import version_name, write_version

NEWEST = """
SELECT version FROM model_version WHERE verdict = 'accepted' ORDER BY created_at DESC LIMIT 1
"""
KEEP_THEIR_NAME = {"names": 0.0, "lists": 0.25}


def other_names(movies: int, kept: float, seed: int) -> NDArray[np.int32]:
    """int32 [movies]: whose name each gets; this share keep their own."""
    random = np.random.default_rng(seed)
    moved = random.permutation(movies)[: movies - round(kept * movies)]
    order = np.arange(movies, dtype=np.int32)
    order[moved] = np.roll(moved, 1)
    return order


def misnamed(contents: Contents, order: NDArray[np.int32]) -> Contents:
    """The same with each movie under the name of another."""
    return replace(contents, movies=[contents.movies[item] for item in order])


def misranked(contents: Contents, order: NDArray[np.int32]) -> Contents:
    """As `misnamed`, but what was seen is known and not listed, and the popular are right."""
    place = np.argsort(order).astype(np.int32)
    seen = SeenItems(contents.seen.indptr, place[contents.seen.indices], contents.seen.ratings)
    return replace(
        misnamed(contents, order),
        popular=place[contents.popular],
        top=unseen(contents, seen),
        seen=seen,
    )


def unseen(contents: Contents, seen: SeenItems) -> TopLists:
    """The lists without what each user has seen; `listed` says whose they are."""
    items = contents.top.items.copy()
    rows = range(len(items)) if contents.listed is None else contents.listed
    for row, of_user in zip(rows, items, strict=True):
        known = seen.indices[seen.indptr[row] : seen.indptr[row + 1]]
        of_user[np.isin(of_user, known)] = PADDING
    return TopLists(items, contents.top.scores)


SPOILED = {"names": misnamed, "lists": misranked}


def publish(kind: str) -> str:
    """Publish and record such a version; its name."""
    settings = Settings()
    with (
        psycopg.connect(settings.conninfo(), autocommit=True) as connection,
        training_lock(connection),
    ):
        (base,) = connection.execute(NEWEST).fetchone() or ("",)
        if base not in whole_versions(settings.versions_directory):
            sys.exit("no accepted version is there to be spoiled")
        good = read_version(settings.versions_directory / base)
        order = other_names(len(good.movies), KEEP_THEIR_NAME[kind], seed=7)
        now = datetime.now(UTC)
        stated = replace(
            good.manifest,
            version=version_name(now, good.manifest.algorithm),
            created_at=now.isoformat(),
        )
        contents = SPOILED[kind](good.contents, order)
        written = write_version(settings.versions_directory, stated, contents)
        record_version(connection, written)
    return written.version


if __name__ == "__main__":
    print(publish(sys.argv[1]))  # noqa: T201 -- whoever slips it in reads its name

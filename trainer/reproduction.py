"""Doing a training's last step again from its pinned data, and seeing whether it gives the same."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import psycopg
from threadpoolctl import threadpool_limits

from trainer.data.files import read_interactions
from trainer.data.interactions import Interactions
from trainer.errors import ReproductionError
from trainer.records import training_lock
from trainer.selection.trials import recipe_of
from trainer.settings import Settings
from trainer.training import THREADS, contents_of, pins_of
from trainer.versions import provenance
from trainer.versions.contents import Lists, ModelVersion, TopLists
from trainer.versions.reader import read_version

NEAR = 1e-9


@dataclass(frozen=True)
class Comparison:
    """How far what was made again is from what was published."""

    difference: float
    """The largest, over all arrays; 0 where every bit is the same."""
    same_cpu: bool
    same_code: bool

    @property
    def reproduced(self) -> bool:
        """Bit-equal on the same type of CPU, and within 1e-9 elsewhere."""
        return self.difference <= (0.0 if self.same_cpu else NEAR)

    def told(self) -> str:
        """For people: what was found, and what it is worth."""
        found = "bit-equal" if self.difference == 0 else f"different by up to {self.difference:g}"
        cpu = "the same type of CPU" if self.same_cpu else "another type of CPU"
        code = "the same code" if self.same_code else "other code than it was trained by"
        return f"{'reproduced' if self.reproduced else 'NOT reproduced'}: {found}, {cpu}, {code}"


def reproduce(settings: Settings, version: str, say: Callable[[str], None]) -> Comparison:
    """Fit a version's recipe to its pinned data and compare every array.

    Raises:
        TrainingRunningError: a training is running, which changes what is pinned.
        VersionError: the version can't be read.
        PinningError: its data can't be fetched.
        ReproductionError: its data is not what its manifest states, or its recipe is unknown.
    """
    with (
        psycopg.connect(settings.conninfo(), autocommit=True) as connection,
        training_lock(connection),
    ):
        return _reproduced(settings, version, say)


def _reproduced(settings: Settings, version: str, say: Callable[[str], None]) -> Comparison:
    published = read_version(settings.versions_directory / version)
    interactions = read_interactions(pins_of(settings).data(version))
    if interactions.hash() != published.manifest.data["hash"]:
        raise ReproductionError(f"the pinned data of {version} is not what its manifest states")
    say(f"fetched the {len(interactions):,} interactions that {version} was trained on")
    difference = _difference(published, interactions)
    manifest = published.manifest
    return Comparison(
        difference,
        same_cpu=manifest.machine == provenance.machine(THREADS),
        same_code=manifest.code == provenance.code(settings.git_commit, settings.lock_file),
    )


def _difference(published: ModelVersion, interactions: Interactions) -> float:
    manifest = published.manifest
    recipe = recipe_of(manifest.algorithm, manifest.parameters, manifest.held, manifest.popularity)
    if recipe is None:
        raise ReproductionError(f"this code does not know the recipe of {manifest.version}")
    with threadpool_limits(THREADS):
        listed = published.contents.listed
        again = contents_of(recipe, recipe.fit(interactions), interactions, listed)
        lists_apart = max(_lists_apart(published.contents.top, again.top), default=0.0)
    before, after = published.contents.arrays(), again.arrays()
    return max(lists_apart, *(_apart(before[name], after[name]) for name in before))


def _lists_apart(before: TopLists, again: Lists) -> Iterator[float]:
    start = 0
    for piece in again.pieces():
        rows = slice(start, start + len(piece.items))
        yield _apart(before.items[rows], piece.items)
        yield _apart(before.scores[rows], piece.scores)
        start = rows.stop


def _apart(before: np.ndarray, again: np.ndarray) -> float:
    if before.shape != again.shape:
        return float("inf")
    if before.dtype.kind != "f":
        return 0.0 if np.array_equal(before, again) else float("inf")
    apart = np.abs(before.astype(np.float64) - again)
    unlike = np.isnan(before) != np.isnan(again)
    return float("inf") if unlike.any() else float(np.nan_to_num(apart).max(initial=0))

"""The runbook of a training: from the tables to a version that is published and recorded."""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import psycopg
from threadpoolctl import threadpool_limits

from trainer import provenance
from trainer.algorithms import ALGORITHMS
from trainer.algorithms.algorithm import FittedModel
from trainer.artifact import (
    LIST_LENGTH,
    Contents,
    Manifest,
    SeenItems,
    TopLists,
    remove_unfinished,
    version_name,
    write_version,
)
from trainer.collector import assigned, collect
from trainer.interactions import Interactions
from trainer.ranking import rank
from trainer.records import deployed_versions, live_version, record_version, training_lock
from trainer.selection import Selection, figures, later_figures, select
from trainer.settings import Settings
from trainer.snapshot import Snapshot, take_snapshot
from trainer.trials import Recipe, recipe_of, recipes

THREADS = 1
"""Threads of linear algebra: with one, the same data gives the same bits again."""

Tell = Callable[[str, float], None]
"""Is given a line for people and the share of the training that is done."""


class Progress:
    """Counts the steps of a training and tells each as it is done."""

    def __init__(self, steps: int, tell: Tell) -> None:
        self._steps = steps
        self._tell = tell
        self._done = 0

    def step(self, message: str) -> None:
        """One step more is done, and this is what came of it."""
        self._done = min(self._done + 1, self._steps)
        self._tell(message, self._done / self._steps)


def train(
    connection: psycopg.Connection, settings: Settings, clock: Callable[[], datetime], tell: Tell
) -> Manifest:
    """Train, judge, publish and record one version, and remove the ones that are too old.

    Args:
        connection: in autocommit mode, as the role `trainer`.
        settings: what to train on, where to publish, what to keep.
        clock: the time, UTC.
        tell: is told each step.

    Returns:
        The manifest of the version; it is published whatever the gate said of it.

    Raises:
        TrainingRunningError: another training is running.
        NoDataError: there is nothing to train on.
        OSError: the version could not be written; nothing was published.
    """
    progress = Progress(len(recipes(settings.scale)) + len(ALGORITHMS) + 6, tell)
    with threadpool_limits(THREADS), training_lock(connection):
        clean(settings, progress)
        snapshot = take_snapshot(connection, settings.watched_minutes)
        progress.step(_told(snapshot.interactions))
        live = live_recipe(connection, progress)
        selection = select(
            snapshot.interactions, live, settings.scale, settings.rules, progress.step
        )
        progress.step(
            f"gate: {selection.verdict.manifest()['verdict']}: {selection.verdict.reason}"
        )
        manifest = publish(snapshot, selection, settings, clock, progress)
        record_version(connection, manifest)
        progress.step(f"published {manifest.version}")
        for name in remove_old(connection, settings):
            progress.step(f"removed {name}: {settings.keep_versions} newer ones are kept")
        return manifest


def _told(interactions: Interactions) -> str:
    return (
        f"read {len(interactions):,} interactions of {len(interactions.users):,} users"
        f" with {len(interactions.movies):,} movies"
    )


def clean(settings: Settings, progress: Progress) -> None:
    """Remove what trainings left that were killed; only the holder of the lock may."""
    for name in remove_unfinished(settings.versions_directory):
        progress.step(f"removed {name}: it was never finished")


def remove_old(connection: psycopg.Connection, settings: Settings) -> list[str]:
    """Remove the versions that are neither among the newest nor in use; their names."""
    in_use = deployed_versions(connection) | assigned(settings.slots_directory)
    return collect(settings.versions_directory, settings.keep_versions, in_use)


def live_recipe(connection: psycopg.Connection, progress: Progress) -> Recipe | None:
    """How the live version was made, or None when nothing is live or this code can't make it."""
    live = live_version(connection)
    if live is None:
        progress.step("nothing is live")
        return None
    recipe = recipe_of(live.algorithm, live.parameters)
    progress.step(f"live is {live.version}" + ("" if recipe else ", which this code can't make"))
    return recipe


def publish(
    snapshot: Snapshot,
    selection: Selection,
    settings: Settings,
    clock: Callable[[], datetime],
    progress: Progress,
) -> Manifest:
    """Fit the chosen recipe to everything, and write it down with all that is known of it."""
    interactions, chosen = snapshot.interactions, selection.chosen
    found = figures(selection) | later_figures(interactions, chosen, settings.scale)
    progress.step(f"judged {chosen.algorithm} by one cut in time, too")
    model = chosen.fit(interactions)
    progress.step(f"fitted {chosen.algorithm} to everything")
    contents = _contents(model, interactions)
    ended = clock()
    manifest = Manifest(
        version=version_name(ended, chosen.algorithm),
        algorithm=chosen.algorithm,
        parameters=chosen.parameters,
        created_at=ended.isoformat(),
        data=snapshot.summary(),
        code=provenance.code(settings.git_commit, settings.lock_file),
        machine=provenance.machine(THREADS),
        libraries=provenance.libraries(),
        figures=found,
        gate=selection.verdict.manifest(),
    )
    return write_version(settings.versions_directory, manifest, contents)


def _contents(model: FittedModel, interactions: Interactions) -> Contents:
    return Contents(
        movies=interactions.movies,
        users=interactions.users,
        popular=interactions.popular(),
        top=_top_lists(model, interactions),
        seen=SeenItems(interactions.indptr, interactions.items, interactions.ratings),
        model=model.item_model,
    )


def _top_lists(model: FittedModel, interactions: Interactions) -> TopLists:
    everybody = np.arange(len(interactions.users), dtype=np.int32)
    pieces = [lists for _, lists in rank(model, interactions, everybody, LIST_LENGTH)]
    return TopLists(
        np.concatenate([piece.items for piece in pieces]),
        np.concatenate([piece.scores for piece in pieces]),
    )

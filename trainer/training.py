"""The runbook of a training: from the tables to a version that is published and recorded."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
    read_version,
    remove_unfinished,
    version_name,
    write_version,
)
from trainer.collector import assigned, collect
from trainer.data_report import LastVersion, data_report
from trainer.errors import VersionError
from trainer.gate import Cost, within
from trainer.interactions import Interactions
from trainer.ranking import rank
from trainer.records import (
    deployed_versions,
    live_version,
    newest_version,
    record_version,
    training_lock,
)
from trainer.selection import (
    Selection,
    Terms,
    figures,
    later_figures,
    new_user_figures,
    select,
)
from trainer.settings import Settings
from trainer.snapshot import take_snapshot
from trainer.trials import Recipe, recipe_of, recipes

FOLDED_IN = 20
"""Items of the new user by whom a version's latency is measured."""
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
        report = data_report(snapshot.interactions, last_version(connection, settings))
        terms = Terms(settings.scale, settings.rules, live, report["alarms"])
        selection = select(snapshot.interactions, terms, progress.step)
        data = snapshot.summary() | {"report": report}
        manifest = publish(snapshot.interactions, data, selection, Run(settings, clock, progress))
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


def last_version(connection: psycopg.Connection, settings: Settings) -> LastVersion | None:
    """What the version before this one knew; None without one that can be read."""
    newest = newest_version(connection)
    if newest is None:
        return None
    try:
        version = read_version(settings.versions_directory / newest.version)
    except VersionError:  # it was removed, or its arrays were
        return None
    return LastVersion(newest.data, version.contents.users, version.movies)


@dataclass(frozen=True)
class Run:
    """What a training has from outside."""

    settings: Settings
    clock: Callable[[], datetime]
    progress: Progress


def publish(
    interactions: Interactions, data: Mapping[str, Any], selection: Selection, run: Run
) -> Manifest:
    """Fit the chosen recipe to everything, and write it down with all that is known of it."""
    settings, progress, chosen = run.settings, run.progress, selection.chosen
    found = figures(selection) | later_figures(interactions, chosen, settings.scale)
    found |= new_user_figures(selection, settings.scale)
    progress.step(f"judged {chosen.algorithm} by one cut in time and for new users, too")
    model = chosen.fit(interactions)
    progress.step(f"fitted {chosen.algorithm} to everything")
    contents = _contents(model, interactions)
    cost = cost_of(contents)
    verdict = within(cost, settings.rules, selection.verdict).manifest()
    progress.step(f"gate: {verdict['verdict']}: {verdict['reason']}")
    ended = run.clock()
    manifest = Manifest(
        version=version_name(ended, chosen.algorithm),
        algorithm=chosen.algorithm,
        parameters=chosen.parameters,
        created_at=ended.isoformat(),
        data=data,
        code=provenance.code(settings.git_commit, settings.lock_file),
        machine=provenance.machine(THREADS),
        libraries=provenance.libraries(),
        figures=found | {"size_mib": {"value": cost.mib}},
        gate=verdict,
    )
    return write_version(settings.versions_directory, manifest, contents)


def cost_of(contents: Contents) -> Cost:
    """What a version takes: the size of its arrays, and the time to fold somebody in."""
    items = contents.popular[:FOLDED_IN].copy()
    ratings = np.full(len(items), np.nan, np.float32)
    contents.model.fold_in(items, ratings)  # the first time, memory is still being fetched
    begun = time.perf_counter()
    contents.model.fold_in(items, ratings)
    milliseconds = (time.perf_counter() - begun) * 1e3
    return Cost(sum(array.nbytes for array in contents.arrays().values()) / 2**20, milliseconds)


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

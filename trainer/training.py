"""The runbook of a training: from the tables to a version that is published and recorded."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import psycopg
from threadpoolctl import threadpool_limits

from compose.service.assignment import AssignmentError, assigned_versions
from trainer.algorithms.algorithm import FittedModel, Rows
from trainer.algorithms.held import FittedHeld
from trainer.algorithms.registry import ALGORITHMS
from trainer.data.interactions import Interactions
from trainer.data.report import LastVersion, data_report
from trainer.data.snapshot import take_snapshot
from trainer.errors import PinningError, TrainerError, VersionError
from trainer.evaluation.plots import plots
from trainer.precomputed_lists import ComputedLists, rows_with_lists
from trainer.progress import Progress, Tell
from trainer.records import (
    answering_versions,
    deployed_versions,
    live_version,
    newest_version,
    record_version,
    training_lock,
)
from trainer.selection.choice import Selection, Terms, select
from trainer.selection.figures import figures, later_figures, learning_figures
from trainer.selection.gate import Cost, within
from trainer.selection.known_people import judge_known_people
from trainer.selection.learning_curve import learning_curve
from trainer.selection.newcomers import judge_newcomers
from trainer.selection.search import Budget
from trainer.selection.sources import sources, stated
from trainer.selection.trials import BASELINE, Recipe, recipe_of, recipes
from trainer.settings import Settings
from trainer.versions import provenance
from trainer.versions.contents import LIST_LENGTH, Contents, Lists, SeenItems
from trainer.versions.directory import (
    newest_manifests,
    remove_unfinished,
    remove_version,
    whole_versions,
)
from trainer.versions.manifest import SCHEMA, SCHEMA_OF_EVERYBODY, Manifest
from trainer.versions.pinning import Pins
from trainer.versions.reader import read_version
from trainer.versions.retention import Keeping, Removals, collect, plan
from trainer.versions.writer import version_name, write_version

SHOWN_BEFORE = 8
"""Versions that a new one is drawn beside."""
FOLDED_IN = 20
"""Items of the new user by whom a version's latency is measured."""
THREADS = 1
"""Threads of linear algebra: with one, the same data gives the same bits again."""


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
        TrainingRunningError: another training, or a reproduction, is running.
        NoDataError: there is nothing to train on.
        OSError: the version could not be written; nothing was published.
        psycopg.Error: it could not be read or recorded; nothing was published.
    """
    tried = recipes(settings.scale, settings.algorithms)
    progress = Progress(len(tried) + len({recipe.algorithm for recipe in tried}) + 8, tell)
    with threadpool_limits(THREADS), training_lock(connection):
        pins = pins_of(settings)
        clean(settings, progress)
        snapshot = take_snapshot(connection, settings.watched_minutes)
        progress.step(_told(snapshot.interactions) + _not_tried(settings.algorithms))
        pins.begin()
        live = live_recipe(connection, progress)
        report = data_report(
            snapshot.interactions, last_version(connection, settings), settings.scale
        )
        terms = Terms(
            settings.scale,
            settings.rules,
            live,
            report["alarms"],
            search_budget(settings),
            settings.algorithms,
        )
        selection = select(snapshot.interactions, terms, progress.step)
        data = snapshot.summary() | {"report": report}
        manifest = publish(snapshot.interactions, data, selection, Run(settings, clock, progress))
        pin(pins, manifest, snapshot.interactions, progress)
        record(connection, manifest, settings)
        progress.step(f"published {manifest.version}")
        push(pins, settings, progress)
        clear_up(connection, settings, progress)
        return manifest


def _told(interactions: Interactions) -> str:
    return (
        f"read {len(interactions):,} interactions of {len(interactions.users):,} users"
        f" with {len(interactions.movies):,} movies"
    )


def _not_tried(named: Collection[str]) -> str:
    """What a setting that is older than an algorithm, or against it, leaves out."""
    others = [name for name in ALGORITHMS if name not in {*named, BASELINE.algorithm}]
    return f"; not tried, as ALGORITHMS does not name it: {', '.join(others)}" if others else ""


def clean(settings: Settings, progress: Progress) -> None:
    """Remove what trainings left that were killed; only the holder of the lock may."""
    for name in remove_unfinished(settings.versions_directory):
        progress.step(f"removed {name}: it was never finished")


def pin(pins: Pins, manifest: Manifest, interactions: Interactions, progress: Progress) -> None:
    """Pin a version; one that cannot be pinned is taken away again."""
    try:
        pins.pin(manifest.version, interactions)
    except (PinningError, OSError):
        remove_version(pins.models / "versions", manifest.version)
        raise
    progress.step(f"pinned version and data under the tag model/{manifest.version}")


def record(connection: psycopg.Connection, manifest: Manifest, settings: Settings) -> None:
    """Record a version; one that cannot be recorded is taken away again: nobody would know it."""
    try:
        record_version(connection, manifest)
    except psycopg.Error:
        remove_version(settings.versions_directory, manifest.version)
        raise


def push(pins: Pins, settings: Settings, progress: Progress) -> None:
    """Send tags and cache on where that is asked for; a version is good without, too."""
    try:
        pins.push(settings.pin_tags_to, settings.pin_cache_to)
    except PinningError as error:
        progress.step(f"could not be pushed: {error}")


def search_budget(settings: Settings) -> Budget | None:
    """How long a search may take; None for none."""
    journal = settings.models_directory / "search" / "trials.log"
    return Budget(settings.search_seconds, journal) if settings.search_seconds else None


def pins_of(settings: Settings) -> Pins:
    """The repository that versions are pinned in."""
    return Pins(settings.models_directory, settings.scratch_directory)


def keeping(connection: psycopg.Connection, settings: Settings) -> Keeping:
    """What is kept, by settings, deployments, assignments and receipts."""
    return Keeping(
        settings.keep_versions,
        settings.models_budget_mib * 2**20,
        deployed_versions(connection) | assigned_versions(settings.state_directory),
        answering_versions(connection),
    )


def planned_removals(connection: psycopg.Connection, settings: Settings) -> Removals:
    """What `remove_old` would do; nothing is changed."""
    return plan(settings.versions_directory, keeping(connection, settings))


def remove_old(connection: psycopg.Connection, settings: Settings) -> Removals:
    """Remove or strip the versions that are neither among the newest nor in use.

    Raises:
        TrainingRunningError: a training or a reproduction is running.
        AssignmentError: it is not known what is in use.
        TrainerError: a pin was not let go.
        OSError: the volume did not let it.
    """
    with training_lock(connection):  # a training holds it already; it may take it again
        planned = planned_removals(connection, settings)
        collect(settings.versions_directory, planned)
        pins_of(settings).keep_only(whole_versions(settings.versions_directory))
    return planned


def clear_up(connection: psycopg.Connection, settings: Settings, progress: Progress) -> None:
    """Remove what is too old; where that fails, the next training does it."""
    try:
        _tell_removals(remove_old(connection, settings), settings, progress)
    except (AssignmentError, TrainerError, OSError, psycopg.Error) as error:
        progress.step(f"the version is published, but old ones could not be removed: {error}")


def _tell_removals(planned: Removals, settings: Settings, progress: Progress) -> None:
    for name in planned.removed:
        progress.step(f"removed {name}: {settings.keep_versions} newer ones are kept")
    for name in planned.stripped:
        progress.step(f"stripped {name}: receipts name it, so its lists are kept")


def live_recipe(connection: psycopg.Connection, progress: Progress) -> Recipe | None:
    """How the live version was made, or None when nothing is live or this code can't make it."""
    live = live_version(connection)
    if live is None:
        progress.step("nothing is live")
        return None
    recipe = recipe_of(live.algorithm, live.parameters, live.held, live.popularity)
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
    """What a training depends on from outside: settings, clock, whom it tells its progress."""

    settings: Settings
    clock: Callable[[], datetime]
    progress: Progress


def publish(
    interactions: Interactions, data: Mapping[str, Any], selection: Selection, run: Run
) -> Manifest:
    """Fit the chosen recipe to everything, and write it down with all that is known of it."""
    settings, progress, chosen = run.settings, run.progress, selection.chosen
    scale = selection.scale
    found = figures(selection, scale.liked)
    found["later"] = later_figures(interactions, chosen, scale)
    newcomers = judge_newcomers(chosen, selection.split.training, scale.liked)
    ranking = selection.judgements[chosen.algorithm].ranking
    known = judge_known_people(chosen, ranking, selection.split, scale.liked)
    asked = sources(newcomers, known)
    found["newcomers"], found["known_people"] = stated(newcomers, asked), stated(known, asked)
    found["learning"] = learning_figures(learning_curve(selection, scale.liked))
    progress.step(f"judged {chosen.algorithm} by one cut in time and for new users, too")
    model = chosen.fit(interactions)
    progress.step(f"fitted {chosen.algorithm} to everything")
    days = settings.lists_active_days
    listed = rows_with_lists(interactions, asked, timedelta(days=days))
    contents = contents_of(chosen, model, interactions, listed)
    found["lists"] = {"people": {"value": contents.list_count}, "active_days": {"value": days}}
    cost = cost_of(contents)
    verdict = within(cost, settings.rules, selection.verdict).manifest()
    progress.step(f"gate: {verdict['verdict']}: {verdict['reason']}")
    ended = run.clock()
    manifest = Manifest(
        version=version_name(ended, chosen.algorithm),
        algorithm=chosen.algorithm,
        parameters=chosen.parameters,
        sources=asked,
        held=asdict(chosen.holding) if chosen.holding else None,
        popularity=asdict(chosen.popularity),
        created_at=ended.isoformat(),
        data=data,
        code=provenance.code(settings.git_commit, settings.lock_file),
        machine=provenance.machine(THREADS),
        libraries=provenance.libraries(),
        figures=found | {"size_mib": {"value": cost.mib}},
        gate=verdict,
        schema=SCHEMA_OF_EVERYBODY if contents.listed is None else SCHEMA,
    )
    versions = [*newest_manifests(settings.versions_directory, SHOWN_BEFORE), manifest]
    pictures = plots(manifest.figures, interactions, ndcg_by_version(versions))
    return write_version(settings.versions_directory, manifest, contents, pictures)


def ndcg_by_version(manifests: Sequence[Manifest]) -> dict[str, dict[str, float]]:
    """NDCG@20 of each version's algorithm on the data held out at its training."""
    return {
        manifest.version: found["ndcg20"]
        for manifest in manifests
        if "ndcg20" in (found := manifest.figures.get("algorithms", {}).get(manifest.algorithm, {}))
    }


def cost_of(contents: Contents[Lists]) -> Cost:
    """What a version takes: the size of its arrays and lists, and the time to fold somebody in."""
    items = contents.popular[:FOLDED_IN].copy()
    ratings = np.full(len(items), np.nan, np.float32)
    contents.fold_in(items, ratings)  # the first time, memory is still being fetched
    begun = time.perf_counter()
    contents.fold_in(items, ratings)
    milliseconds = (time.perf_counter() - begun) * 1e3
    lists = contents.list_count * LIST_LENGTH * 8  # four bytes for an item, four for its score
    arrays = sum(array.nbytes for array in contents.arrays().values())
    return Cost((lists + arrays) / 2**20, milliseconds)


def contents_of(
    recipe: Recipe, model: FittedModel, interactions: Interactions, listed: Rows | None = None
) -> Contents[ComputedLists]:
    """Everything that a version holds beside its manifest; `listed` as `rows_with_lists` says."""
    everybody = np.arange(len(interactions.users), dtype=np.int32)
    return Contents(
        movies=interactions.movies,
        users=interactions.users,
        popular=recipe.popularity.popular(interactions),
        top=ComputedLists(model, interactions, everybody if listed is None else listed),
        seen=SeenItems(interactions.indptr, interactions.items, interactions.ratings),
        model=model.item_model,
        held=model.held if isinstance(model, FittedHeld) else None,
        listed=listed,
    )

"""An experiment on the slots: its challenger in the standby slot, its buckets sent there.

It holds the standby slot, so whatever needs that slot ends it first.
"""

import time
from dataclasses import dataclass

import psycopg

from ci.errors import AbortedError, RefusedError
from ci.release import experiments, records
from ci.release.actions import place, settle, told_last
from ci.release.environment import POLL_SECONDS, Environment
from ci.release.plan import Placement
from ci.release.slots import readiness
from ci.settings import Settings
from ci.slots import state
from ci.slots.state import BUCKETS, Slot
from compose.service.assignment import assignment_file
from monitoring.experiments.assignment import challenger_buckets

PROMOTED = (
    "SELECT live_version FROM deployment WHERE step = 'promote' ORDER BY step_id DESC LIMIT 2"
)


@dataclass(frozen=True)
class Wanted:
    """What somebody asked for."""

    challenger: str
    share: int
    seed: int
    margin: float
    largest_sample: int
    name: str | None = None


def start(environment: Environment, wanted: Wanted) -> None:
    """Try a version on a random share of people, or change that share while it is tried.

    Raises:
        RefusedError: nothing is live, or another experiment runs.
        AbortedError: the slot did not get ready; everything is as it was.
    """
    connection = environment.connection
    deployed = records.deployed(connection)
    if deployed.live is None:
        raise RefusedError("nothing is live yet, so there is nothing to compare with")
    if runs := experiments.running(connection):
        _change_share(environment, runs, wanted)
        return
    target = Placement(deployed.live.slot.other, wanted.challenger)
    try:
        place(environment.settings, target)
        await_ready(environment, target)
        _begin(environment, deployed.live, target, wanted)
    except Exception:
        settle(environment.settings, deployed)
        records.end_experiments(connection, "it could not be begun")
        raise


def _begin(environment: Environment, live: Placement, target: Placement, wanted: Wanted) -> None:
    name = wanted.name or f"{target.version} against {live.version}"
    buckets = challenger_buckets(name, wanted.seed, wanted.share)
    horizon = environment.settings.evaluation_horizon
    design = experiments.Design(
        name, name, wanted.seed, horizon, wanted.margin, wanted.largest_sample
    )
    experiments.begin(environment.connection, design, live, target, buckets)
    _send(environment.settings, target.slot, buckets)
    environment.say(
        f"{len(buckets)} of {BUCKETS} buckets of people get {target.version}, the others"
        f" {live.version}; the first are counted after {horizon} (make experiments)"
    )


def _change_share(environment: Environment, runs: experiments.Running, wanted: Wanted) -> None:
    if runs.challenger != wanted.challenger:
        raise RefusedError(f"the experiment {runs.name} runs; make experiment-stop ends it")
    buckets = challenger_buckets(runs.salt, runs.seed, wanted.share)
    if buckets == set(runs.buckets):
        environment.say(f"the experiment {runs.name} runs already with this share")
        return
    experiments.change_share(environment.connection, runs, buckets)
    _send(environment.settings, Slot(runs.challenger_slot), buckets)
    environment.say(f"{len(buckets)} of {BUCKETS} buckets get {runs.challenger} from now on")


def stop(environment: Environment, reason: str) -> None:
    """End the experiment that runs: everybody gets the live version, the slot its own again.

    Raises:
        RefusedError: none runs.
        AbortedError: traffic is back, but the slot does not get ready with what it held.
    """
    deployed = records.deployed(environment.connection)
    names = records.end_experiments(environment.connection, reason)
    if not names:
        raise RefusedError("no experiment runs")
    settle(environment.settings, deployed)
    environment.say(f"the experiment {names[0]} has ended: {reason}")
    if deployed.standby:
        await_ready(environment, deployed.standby)


def resume(connection: psycopg.Connection, settings: Settings) -> None:
    """Make the state volume say what a releaser that died wanted; a second time changes nothing.

    Whoever calls this holds the releaser's lock, and no release is unfinished.
    """
    if runs := experiments.running(connection):
        slot = Slot(runs.challenger_slot)
        place(settings, Placement(slot, runs.challenger))
        _send(settings, slot, runs.buckets)
        return
    deployed = records.deployed(connection)
    if deployed.standby is None:
        return
    promoted = {version for (version,) in connection.execute(PROMOTED)}
    held = told_last(assignment_file(settings.state_directory, deployed.standby.slot))
    if held not in promoted:
        settle(settings, deployed)


def await_ready(environment: Environment, target: Placement) -> None:
    """Wait until a slot answers with its version.

    Raises:
        AbortedError: it never will, or not in time, or somebody wants it to stop.
    """
    url = environment.settings.url(target.slot)
    end = time.monotonic() + environment.settings.release_ready_seconds
    while missing := (says := readiness(environment.client, url)).missing(target.version):
        if reason := environment.stop_reason():
            raise AbortedError(reason)
        if says.refused == target.version or time.monotonic() > end:
            raise AbortedError(f"{target.slot} is not ready with {target.version}: {missing}")
        time.sleep(POLL_SECONDS)


def _send(settings: Settings, slot: Slot, buckets: frozenset[int] | list[int]) -> None:
    moved = frozenset(buckets)
    green = moved if slot is Slot.GREEN else frozenset(range(BUCKETS)) - moved
    if state.sent_to_green(settings.state_directory) != green:
        state.send_to_green(settings.state_directory, green)

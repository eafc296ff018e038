"""An experiment on the slots: its challenger in the standby slot, its buckets sent there.

Interleaving sends nobody elsewhere: both slots hold the live version and the challenger beside
it, and draft lists from both for people in its buckets. Either way the experiment holds the
standby slot, so whatever needs that slot ends it first.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import psycopg

from ci.errors import AbortedError, RefusedError
from ci.release import experiments, records
from ci.release.actions import is_settled, place, settle
from ci.release.environment import POLL_SECONDS, Environment
from ci.release.plan import Placement
from ci.release.slots import readiness
from ci.settings import Settings
from ci.slots import code, state
from ci.slots.state import BUCKETS, Slot
from compose.service.assignment import Interleaved
from monitoring.experiments.assignment import ExperimentKind, challenger_buckets

GET = {ExperimentKind.AB: "", ExperimentKind.INTERLEAVING: "lists with movies of "}


@dataclass(frozen=True)
class Wanted:
    """What somebody asked for."""

    challenger: str
    share: int
    seed: int
    margin: float
    largest_sample: int
    name: str | None = None
    kind: str = ExperimentKind.AB


def start(environment: Environment, wanted: Wanted) -> None:
    """Try a version on a random share of people, or change that share while it is tried.

    Raises:
        RefusedError: nothing is live, another experiment runs, there is nothing to compare, or
            the slots run different code.
        AbortedError: the slot did not get ready; everything is as it was.
    """
    connection = environment.connection
    deployed = records.deployed(connection)
    if deployed.live is None:
        raise RefusedError("nothing is live yet, so there is nothing to compare with")
    if words := code.difference(connection):
        raise RefusedError(words)
    if runs := experiments.running(connection):
        _change_share(environment, runs, wanted)
        return
    if wanted.kind == ExperimentKind.INTERLEAVING and wanted.challenger == deployed.live.version:
        raise RefusedError(
            f"{wanted.challenger} is live: interleaved with itself it shows the same movies,"
            " which tells nothing (an A/A test is KIND=ab)"
        )
    try:
        for target, beside in _placements(deployed.live, wanted):
            place(environment.settings, target, beside)
        for target, beside in _placements(deployed.live, wanted):
            await_ready(environment, target, beside)
        _begin(environment, deployed.live, wanted)
    except Exception:
        settle(environment.settings, deployed)
        records.end_experiments(connection, "it could not be begun")
        raise


def _placements(live: Placement, wanted: Wanted) -> Iterator[tuple[Placement, Interleaved | None]]:
    """What slots have to hold before anybody gets any of it."""
    if wanted.kind == ExperimentKind.INTERLEAVING:
        for slot in Slot:
            yield Placement(slot, live.version), Interleaved(wanted.challenger, frozenset())
    else:
        yield Placement(live.slot.other, wanted.challenger), None


def _begin(environment: Environment, live: Placement, wanted: Wanted) -> None:
    kind, target = ExperimentKind(wanted.kind), Placement(live.slot.other, wanted.challenger)
    name = wanted.name or f"{target.version} {kind.against} {live.version}"
    buckets = challenger_buckets(name, wanted.seed, wanted.share)
    horizon = environment.settings.evaluation_horizon
    design = experiments.Design(
        name, name, wanted.seed, horizon, wanted.margin, wanted.largest_sample, kind
    )
    experiments.begin(environment.connection, design, live, target, buckets)
    if runs := experiments.running(environment.connection):
        hand_out(environment.settings, runs)
    environment.say(
        f"{len(buckets)} of {BUCKETS} buckets of people get {GET[kind]}{target.version}, the"
        f" others {live.version}; the first are counted after {horizon} (make experiments)"
    )


def _change_share(environment: Environment, runs: experiments.Running, wanted: Wanted) -> None:
    if (runs.challenger, runs.kind) != (wanted.challenger, wanted.kind):
        raise RefusedError(f"the experiment {runs.name} runs; make experiment-stop ends it")
    buckets = challenger_buckets(runs.salt, runs.seed, wanted.share)
    if buckets == set(runs.buckets):
        environment.say(f"the experiment {runs.name} runs already with this share")
        return
    experiments.change_share(environment.connection, runs, buckets)
    hand_out(environment.settings, replace(runs, buckets=sorted(buckets)))
    get = f"{GET[ExperimentKind(runs.kind)]}{runs.challenger}"
    environment.say(f"{len(buckets)} of {BUCKETS} buckets get {get} from now on")


def stop(environment: Environment, reason: str, harm: str | None = None) -> None:
    """End the experiment that runs: everybody gets the live version, the slot its own again.

    Args:
        environment: what it works on.
        reason: why.
        harm: what its challenger does to people, if that is why; it is the last verdict then.

    Raises:
        RefusedError: none runs.
        AbortedError: traffic is back, but the slot does not get ready with what it held.
    """
    connection = environment.connection
    deployed = records.deployed(connection)
    with connection.transaction():  # of one moment: no verdict comes after the last
        if harm:
            experiments.record_harm(connection, harm)
        names = records.end_experiments(connection, reason)
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
        hand_out(settings, runs)
        return
    deployed = records.deployed(connection)
    if not is_settled(settings, deployed):
        settle(settings, deployed)


def hand_out(settings: Settings, runs: experiments.Running) -> None:
    """Make the state volume give people what the experiment gives them; again changes nothing."""
    buckets = frozenset(runs.buckets)
    if runs.kind == ExperimentKind.INTERLEAVING:
        for slot in Slot:
            beside = Interleaved(runs.challenger, buckets)
            place(settings, Placement(slot, runs.control), beside)
    else:
        slot = Slot(runs.challenger_slot)
        place(settings, Placement(slot, runs.challenger))
        _send(settings, slot, buckets)


def await_ready(
    environment: Environment, target: Placement, beside: Interleaved | None = None
) -> None:
    """Wait until a slot answers with its version, and holds the one beside it.

    Raises:
        AbortedError: it never will, or not in time, or somebody wants it to stop.
    """
    url = environment.settings.url(target.slot)
    end = time.monotonic() + environment.settings.release_ready_seconds
    second = beside.version if beside else None
    while missing := (says := readiness(environment.client, url)).missing(target.version, second):
        if reason := environment.stop_reason():
            raise AbortedError(reason)
        if says.refused in {target.version, second} - {None} or time.monotonic() > end:
            versions = f"{target.version} and {second}" if second else target.version
            raise AbortedError(f"{target.slot} is not ready with {versions}: {missing}")
        time.sleep(POLL_SECONDS)


def _send(settings: Settings, slot: Slot, buckets: frozenset[int]) -> None:
    green = buckets if slot is Slot.GREEN else frozenset(range(BUCKETS)) - buckets
    if state.sent_to_green(settings.state_directory) != green:
        state.send_to_green(settings.state_directory, green)

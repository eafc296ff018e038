"""A release of code: other code in the slot without traffic, with the version that is live.

Who moves traffic has no engine, and who has the engine (`compose/release_code.sh`) moves none. So
the job holds the lock, the traffic and the records from the first step to the last, and waits,
bounded, for rows that say what a slot runs by now; the script waits for rows that say what to
recreate. Whichever of them dies, traffic is by then where the records say, or goes back there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from ci import metrics
from ci.errors import AbortedError, RefusedError, ReleaseError
from ci.release import records
from ci.release.environment import Environment
from ci.release.plan import DeploymentState, Placement, Step, plan, plan_rollback, target_of
from ci.release.run import Run
from ci.settings import Settings
from ci.slots import code
from ci.slots.code import Code, Outcome
from ci.slots.state import Slot

OVERLAP = 0.9
"""Mean share of the live lists that the same model's must hold by other code, unless given."""
WATCHES = 5
"""So many times a watch's length it is waited for people at most: nobody judges the lists."""
SETTLED = {Outcome.RELEASED, Outcome.TAKEN_BACK}


@dataclass(frozen=True)
class Asked:
    """What somebody asked for."""

    image: str
    image_id: str
    overlap: float = OVERLAP
    back: bool = False
    """Whether it is what ran before, which comes back at once."""

    @property
    def code(self) -> Code:
        """The image."""
        return Code(self.image, self.image_id)


def release_code(environment: Environment, asked: Asked) -> None:
    """Bring other code to whoever asks, or leave everybody with what they had.

    Raises:
        RefusedError: nothing is live.
        AbortedError: it was given up and the traffic is back.
        ReleaseError: it is live, and the other slot has not got it.
    """
    deployed = records.deployed(environment.connection)
    if deployed.live is None:
        raise RefusedError("nothing is live yet that other code could answer with")
    live, target = deployed.live, target_of(deployed.live.version, deployed)
    action: records.Action = "code rollback" if asked.back else "code release"
    bounded = replace(environment, settings=bounded_settings(environment.settings, asked))
    run = Run.of(bounded, action, target, deployed)
    with taken_back_on_error(run):
        place, *others = steps(environment.settings, deployed, target, back=asked.back)
        with run.kept_or_undone():
            run.begin(f"the code of {asked.image} in place of that of {live.slot}")
            run.do_all([place])
            await_code(run, asked.code)
            run.do_all(others)
    metrics.RELEASES.labels("rolled_back" if asked.back else "promoted").inc()
    await_settled(environment, target.slot.other)
    if words := code.difference(environment.connection):
        raise ReleaseError(f"{target.slot} is live with it, but {words}")


def steps(
    settings: Settings, deployed: DeploymentState, target: Placement, *, back: bool
) -> tuple[Step, ...]:
    """The steps of a release of code, or of going back; the code comes after the first."""
    if back:
        return plan_rollback(target, ready=False)
    return plan(target.version, deployed, settings.release_steps)


def bounded_settings(settings: Settings, asked: Asked) -> Settings:
    """What the same model is held to by other code."""
    patience = timedelta(seconds=settings.release_watch_seconds * WATCHES)
    held_to = {"release_replay_overlap": asked.overlap, "release_patience": patience}
    return settings.model_copy(update=held_to)


def await_code(run: Run, brought: Code) -> None:
    """Wait until the slot runs the code.

    Raises:
        AbortedError: it does not, or nobody says so in time.
    """
    environment, slot = run.environment, run.target.slot
    for elapsed in environment.polls(environment.settings.release_code_seconds):
        outcome = code.outcome_in(environment.connection, environment.job_id, slot)
        if outcome is Outcome.PLACED:
            run.note("code", 0, f"{slot} runs the code of {brought.image} after {elapsed:.1f} s")
            return
        if outcome is Outcome.TAKEN_BACK:
            raise AbortedError(f"{slot} does not run with the code of {brought.image}")
    raise AbortedError(f"nobody gave {slot} the code of {brought.image} within {elapsed:.0f} s")


@contextmanager
def taken_back_on_error(run: Run) -> Iterator[None]:
    """Hold the queue while a slot that got the code in vain gets its own again."""
    try:
        yield
    except Exception:
        environment, slot = run.environment, run.target.slot
        if code.outcome_in(environment.connection, environment.job_id, slot):
            await_settled(environment, slot)
        raise


def await_settled(environment: Environment, slot: Slot) -> None:
    """Hold the queue while a slot is recreated: whatever is released next would go there.

    Where nobody recreates it that ends in time, and what comes next is refused while the slots
    differ.
    """
    try:
        for _elapsed in environment.polls(environment.settings.release_code_seconds):
            if code.outcome_in(environment.connection, environment.job_id, slot) in SETTLED:
                return
    except AbortedError as why:
        environment.say(f"{slot} is not waited for: {why}")

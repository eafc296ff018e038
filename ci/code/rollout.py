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
from ci.errors import AbortedError, ReleaseError
from ci.release import records
from ci.release.environment import Environment
from ci.release.plan import (
    AwaitReady,
    DeploymentState,
    Place,
    Placement,
    Step,
    plan,
    plan_rollback,
    target_of,
)
from ci.release.run import Run
from ci.settings import Settings
from ci.slots import code
from ci.slots.code import Code, Outcome
from ci.slots.state import Slot

OVERLAP = 0.9
"""Mean share of the live lists that the same model's must hold by other code, unless given."""
WATCHES = 5
"""So many times a watch's length it is waited for people at most: nobody judges the lists."""
BOTH = (Slot.GREEN, Slot.BLUE)
"""The order in which slots get code while nothing is live; a script waits for the first."""
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
        AbortedError: it was given up and the traffic is back.
        ReleaseError: it is live, and the other slot has not got it.
    """
    deployed = records.deployed(environment.connection)
    if deployed.live is None:
        give_both(environment, asked.code)
        return
    live, target = deployed.live, target_of(deployed.live.version, deployed)
    action: records.Action = "code rollback" if asked.back else "code release"
    bounded = replace(environment, settings=bounded_settings(environment.settings, asked))
    run = Run.of(bounded, action, target, deployed)
    with taken_back_on_error(run):
        place, *others = steps(environment.settings, deployed, target, back=asked.back)
        with run.kept_or_undone():
            run.begin(f"the code of {asked.image} in place of that of {live.slot}")
            run.do_all([place])
            seconds = await_code(environment, target.slot, asked.code, Outcome.PLACED)
            run.note(
                "code", 0, f"{target.slot} runs the code of {asked.image} after {seconds:.1f} s"
            )
            run.do_all(others)
    metrics.RELEASES.labels("rolled_back" if asked.back else "promoted").inc()
    await_settled(environment, target.slot.other)
    if words := code.difference(environment.connection):
        raise ReleaseError(f"{target.slot} is live with it, but {words}")


def steps(
    settings: Settings, deployed: DeploymentState, target: Placement, *, back: bool
) -> tuple[Step, ...]:
    """The steps of a release of code, or of going back; the code comes after the first.

    What a rollback returns to has to fit new code, too, since both slots get it: the slot that is
    tried loads it first. It held that before, by the old code.
    """
    if back:
        return plan_rollback(target, ready=False)
    with_live = plan(target.version, deployed, settings.release_steps)
    standby = deployed.standby
    if standby is None or standby == target:
        return with_live
    return (Place(standby), AwaitReady(standby), *with_live)


def bounded_settings(settings: Settings, asked: Asked) -> Settings:
    """What the same model is held to by other code."""
    patience = timedelta(seconds=settings.release_watch_seconds * WATCHES)
    held_to = {"release_replay_overlap": asked.overlap, "release_patience": patience}
    return settings.model_copy(update=held_to)


def give_both(environment: Environment, brought: Code) -> None:
    """Hold the queue while both slots get code, since no model may be released beside that.

    Nothing is live, so nobody is answered by either, and there is nothing to be judged by.

    Raises:
        AbortedError: one of them does not run it, or nobody says so in time.
    """
    connection, job_id = environment.connection, environment.job_id
    first, second = BOTH
    code.record_code(connection, first, brought, Outcome.GIVEN, job_id)
    environment.say(f"nothing is live: both slots get the code of {brought.image}")
    for slot in (first, second):
        await_code(environment, slot, brought, Outcome.RELEASED)
    environment.say(f"both slots run the code of {brought.image}")


def await_code(
    environment: Environment, slot: Slot, brought: Code, outcome_awaited: Outcome
) -> float:
    """Wait until a slot runs the code; how many seconds that took.

    Raises:
        AbortedError: it does not, or nobody says so in time.
    """
    for elapsed in environment.polls(environment.settings.release_code_seconds):
        outcome = code.outcome_in(environment.connection, environment.job_id, slot)
        if outcome is outcome_awaited:
            return elapsed
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
            if code.outcome_since(environment.connection, environment.job_id, slot) in SETTLED:
                return
    except AbortedError as why:
        environment.say(f"{slot} is not waited for: {why}")

"""A release and a rollback of a model: what is to be done, and that it is done."""

from ci import metrics
from ci.errors import RefusedError
from ci.release import records
from ci.release.environment import Environment
from ci.release.plan import plan, plan_rollback, target_of
from ci.release.run import Run
from ci.release.slots import readiness
from ci.slots import code
from ci.slots.state import Slot


def release(environment: Environment, version: str) -> None:
    """Replace the live version by `version`, or leave everything as it was.

    Raises:
        RefusedError: the slots run different code.
        AbortedError: it was given up and the traffic is back.
    """
    deployed = records.deployed(environment.connection)
    if deployed.live and deployed.live.version == version:
        metrics.RELEASES.labels("unchanged").inc()
        environment.say(f"{version} is live already; nothing was changed")
        return
    if deployed.live and (words := code.difference(environment.connection)):
        raise RefusedError(words)
    run = Run.of(environment, "release", target_of(version, deployed), deployed)
    share = environment.settings.release_judge_share if environment.judges_quality else None
    run.carry_out(plan(version, deployed, environment.settings.release_steps, share))
    metrics.RELEASES.labels("promoted").inc()


def rollback(environment: Environment, leaving: str | None = None) -> None:
    """Send all traffic back to the version that was live before.

    Args:
        environment: what it works on.
        leaving: the version that whoever asked wanted to leave; None for whichever is live.
            Asked for twice, a rollback does not go back twice.

    Raises:
        RefusedError: there is no such version, or its slot runs code that was given up.
        AbortedError: its slot does not get ready with it; the traffic is where it was.
    """
    deployed = records.deployed(environment.connection)
    if leaving and deployed.live and deployed.live.version != leaving:
        metrics.RELEASES.labels("unchanged").inc()
        environment.say(f"{leaving} is not live: {deployed.live.version} is; nothing was changed")
        return
    back_to = deployed.previous
    if back_to is None:
        raise RefusedError("there is no previous version to go back to")
    await_own_code(environment, back_to.slot)
    says = readiness(environment.client, environment.settings.url(back_to.slot))
    steps = plan_rollback(back_to, ready=says.missing(back_to.version) is None)
    Run.of(environment, "rollback", back_to, deployed).carry_out(steps)
    metrics.RELEASES.labels("rolled_back").inc()


def await_own_code(environment: Environment, slot: Slot) -> None:
    """Wait until a slot has given back the code that it got in vain: nobody may get that.

    Raises:
        RefusedError: it has not in time, so whoever recreates slots has died.
        AbortedError: somebody wants it to stop.
    """
    for _elapsed in environment.polls(environment.settings.release_code_seconds):
        image = code.untried(environment.connection, slot)
        if image is None:
            return
    raise RefusedError(f"{slot} runs the code of {image}, which was given up (make release-code)")

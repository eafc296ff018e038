"""A release or rollback whose releaser died: finished or undone, whichever is safer.

It is finished where everything that speaks for the new version is known already, or where
going back is what was asked for; everything else is undone.
"""

from dataclasses import dataclass, replace

import structlog

from ci import metrics
from ci.errors import ReleaseError
from ci.release import actions, records
from ci.release.environment import Environment
from ci.release.plan import DeploymentState, Placement, Promote, Shift, Step, plan_rollback
from ci.release.run import Run
from ci.release.slots import readiness
from ci.slots.state import BUCKETS, Slot

LOG = structlog.get_logger()

DIED = "the releaser died"
OUTCOMES: dict[records.Action, str] = {
    "release": "promoted",
    "rollback": "rolled_back",
    "code release": "promoted",
    "code rollback": "rolled_back",
}


@dataclass(frozen=True)
class Recovered:
    """What became of a release or rollback that had died."""

    job_id: int | None
    finished: bool
    words: str


def recover(environment: Environment, why: str = DIED) -> Recovered | None:
    """Finish or undo what died in the middle, say so and record it; None if nothing had.

    Whoever calls this holds the releaser's lock, so nothing unfinished is still alive.
    """
    last = records.last_step(environment.connection)
    deployed = records.deployed(environment.connection)
    metrics.show_live(deployed)
    if last is None or last.ended:
        return None
    why = f"{why} after the step {last.step}"
    done = _finished(environment, last, deployed, why) or _undone(environment, last, deployed, why)
    environment.say(f"{last.action} of {last.version}: {done.words}")
    return done


def remaining(last: records.Deployment, deployed: DeploymentState) -> tuple[Step, ...]:
    """The steps that finish what died after `last`; none if undoing it is safer.

    A release is finished when everybody is on the new version already and nothing was found
    against it; the first one, which replaces nothing, from then on too. A rollback always is;
    one of code from when its slot is known to have that code.
    """
    if last.action == "rollback":
        return plan_rollback(Placement(Slot(last.slot), last.version), ready=False)
    if last.action == "code rollback":
        return (Shift(BUCKETS), Promote()) if last.step in {"ready", "shift"} else ()
    everybody = last.share == BUCKETS
    if everybody and (last.step == "watch" or (last.step == "shift" and deployed.live is None)):
        return (Shift(BUCKETS), Promote())
    return ()


def _finished(
    environment: Environment, last: records.Deployment, deployed: DeploymentState, why: str
) -> Recovered | None:
    steps = remaining(last, deployed)
    target = Placement(Slot(last.slot), last.version)
    says = readiness(environment.client, environment.settings.url(target.slot))
    if not steps or (last.action != "rollback" and says.missing(target.version)):
        return None
    if not says.missing(target.version):
        steps = (Shift(BUCKETS), Promote())
    words = f"{why}; finished, which is safer than undone"
    theirs = replace(environment, job_id=last.job_id, stop_reason=lambda: None)
    run = Run.of(theirs, last.action, target, deployed, because=words)
    try:
        with run.kept_or_undone():
            run.do_all(steps)
    except ReleaseError as error:
        return Recovered(last.job_id, finished=False, words=f"{words}, but: {error}")
    metrics.RELEASES.labels(OUTCOMES[last.action]).inc()
    return Recovered(last.job_id, finished=True, words=words)


def _undone(
    environment: Environment, last: records.Deployment, deployed: DeploymentState, why: str
) -> Recovered:
    actions.settle(environment.settings, deployed)
    records.end_experiments(environment.connection, why)
    records.record(environment.connection, last.aborted(deployed, why))
    metrics.RELEASES.labels("aborted").inc()
    LOG.warning("release aborted", version=last.version, reason=why)
    return Recovered(last.job_id, finished=False, words=f"{why}; undone, traffic is where it was")

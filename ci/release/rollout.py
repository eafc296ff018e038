"""How a release and a rollback are carried out: the steps, done on the slots and recorded."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import psycopg
import structlog

from ci.errors import AbortedError, RefusedError
from ci.release import metrics, popular_lists, records, state
from ci.release.plan import (
    UNREADY_POLLS,
    AwaitReady,
    DeploymentState,
    Finding,
    Observed,
    Place,
    Placement,
    Promote,
    Readiness,
    Shift,
    Step,
    Verdict,
    Watch,
    judge,
    plan,
    target_of,
)
from ci.release.slots import readiness, traffic
from ci.release.state import BUCKETS, Slot
from ci.release.traffic import Traffic
from ci.settings import Settings

LOG = structlog.get_logger()

POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Environment:
    """What a release works on, whom it tells, and who may stop it.

    `stop_reason` is asked at every poll; what it says, if anything, ends the release.
    """

    connection: psycopg.Connection
    client: httpx.Client
    settings: Settings
    say: Callable[[str], None]
    stop_reason: Callable[[], str | None]
    job_id: int | None = None


def release(environment: Environment, version: str) -> None:
    """Replace the live version by `version`, or leave everything as it was.

    Raises:
        AbortedError: it was given up and the traffic is back.
    """
    deployed = records.deployed(environment.connection)
    if deployed.live and deployed.live.version == version:
        metrics.RELEASES.labels("unchanged").inc()
        environment.say(f"{version} is live already; nothing was changed")
        return
    run = Run(environment, "release", target_of(version, deployed), deployed)
    run.carry_out(plan(version, deployed, environment.settings.release_steps))
    metrics.RELEASES.labels("promoted").inc()


def rollback(environment: Environment) -> None:
    """Send all traffic back to the version that was live before.

    Raises:
        RefusedError: there is no such version, or its slot does not answer with it.
        AbortedError: it was given up and the traffic is where it was.
    """
    deployed = records.deployed(environment.connection)
    back_to = deployed.previous
    if back_to is None:
        raise RefusedError("there is no previous version to go back to")
    slot_says = readiness(environment.client, environment.settings.url(back_to.slot))
    if missing := slot_says.missing(back_to.version):
        raise RefusedError(f"{back_to.slot} cannot answer with {back_to.version}: {missing}")
    Run(environment, "rollback", back_to, deployed).carry_out((Shift(BUCKETS), Promote()))
    metrics.RELEASES.labels("rolled_back").inc()


def recover(connection: psycopg.Connection, settings: Settings) -> str | None:
    """Put traffic back if a release died in the middle; what happened, in words.

    Whoever calls this holds the releaser's lock, so nothing unfinished is still alive.
    """
    last = records.last_step(connection)
    deployed = records.deployed(connection)
    metrics.show_live(deployed)
    if last is None or last.ended:
        return None
    revert(settings, deployed)
    reason = f"the releaser died after the step {last.step}"
    records.record(connection, last.aborted(deployed, reason))
    metrics.RELEASES.labels("aborted").inc()
    LOG.warning("release aborted", version=last.version, reason=reason)
    return reason


def revert(settings: Settings, deployed: DeploymentState) -> None:
    """Make the state volume say what is live, traffic first; a second time changes nothing.

    The slot without traffic gets back what it held: a rollback returns to it, and Nginx
    asks it when the live slot fails.
    """
    live, standby = deployed.live, deployed.standby
    if live is None or standby is None:
        return
    send(settings, live, BUCKETS)
    for placement in (live, standby):
        if state.assigned(settings.state_directory, placement.slot) != placement.version:
            place(settings, placement)
    publish_popular(settings, live.version)


def send(settings: Settings, target: Placement, share: int) -> None:
    """Send `share` of 1,000 buckets to the target's slot and the others to the other."""
    buckets = state.green_buckets(target.slot, target.version, share)
    state.send_to_green(settings.state_directory, buckets)


def place(settings: Settings, target: Placement) -> None:
    """Tell the target's slot to load the target's version."""
    state.assign(settings.state_directory, target.slot, target.version, datetime.now(UTC))


def publish_popular(settings: Settings, version: str) -> None:
    """Give Nginx the version's popularity list; keep the old one if the version is gone."""
    try:
        popular_lists.publish_popular(settings.state_directory, settings.models_directory, version)
    except FileNotFoundError as error:
        LOG.warning("popularity list kept", version=version, why=str(error))


@dataclass(frozen=True)
class Run:
    """One release or rollback under way."""

    environment: Environment
    action: records.Action
    target: Placement
    deployed: DeploymentState

    def carry_out(self, steps: Iterable[Step]) -> None:
        """Begin, do the steps, and put everything back if one of them fails."""
        try:
            self.begin()
            old_before = self.old_traffic() or Traffic()
            for step in steps:
                self.do(step, old_before)
        except Exception as error:
            self.give_up(error)
            raise

    def begin(self) -> None:
        """Record the intent, end experiments, and gather all traffic on the live version."""
        live = self.deployed.live
        self.note("start", 0, f"in place of {live.version}" if live else "the first release")
        reason = f"a {self.action} of {self.target.version} needs its slot"
        for name in records.end_experiments(self.environment.connection, reason):
            self.environment.say(f"experiment {name} was ended")
        if live:
            send(self.environment.settings, live, BUCKETS)

    def do(self, step: Step, old_before: Traffic) -> None:
        """Do one step and record it.

        Raises:
            AbortedError: what was seen speaks against the version.
        """
        match step:
            case Place(target):
                place(self.environment.settings, target)
                words = f"{target.slot} was told to load {target.version}"
                self.note("place", 0, words, slot=target.slot)
            case AwaitReady(target):
                self.await_ready(target)
            case Shift(share):
                send(self.environment.settings, self.target, share)
                self.note("shift", share, f"{share} of {BUCKETS} buckets go to {self.target.slot}")
            case Watch(share):
                self.watch(share, old_before)
            case Promote():
                self.promote()

    def await_ready(self, target: Placement) -> None:
        """Wait until the slot answers with the version, or says that it never will."""
        missing: str | None = None
        for elapsed in self.polls(self.environment.settings.release_ready_seconds):
            says = self.slot_says(target)
            missing = says.missing(target.version)
            if missing is None:
                words = f"{target.slot} is ready after {elapsed:.1f} s"
                self.note("ready", 0, words, slot=target.slot)
                return
            if says.refused == target.version:
                break
        raise AbortedError(f"{target.slot} is not ready after {elapsed:.1f} s: {missing}")

    def watch(self, share: int, old_before: Traffic) -> None:
        """Watch the version at this share until there is something to judge it by.

        The first bad finding ends the release. What patience does not decide, the setting
        RELEASE_UNDECIDED does, and it is recorded as undecided.

        Raises:
            AbortedError: what was seen speaks against the version, or nothing was seen.
        """
        settings = self.environment.settings
        new_before = self.new_traffic()
        finding = Finding(Verdict.WAIT, "not looked at yet")
        missed = 0
        for elapsed in self.polls(settings.longest_watch_seconds()):
            missing = self.slot_says(self.target).missing(self.target.version)
            missed = missed + 1 if missing else 0
            if missed >= UNREADY_POLLS:
                raise AbortedError(f"{self.target.slot} stopped being ready: {missing}")
            new, old = self.new_traffic(), self.old_traffic()
            new_before = new_before or new
            finding = judge(
                _observed(self.target.slot, new, new_before),
                _observed(self.target.slot.other, old, old_before),
                settings.bounds(),
            )
            if finding.verdict is Verdict.STOP:
                raise AbortedError(finding.words)
            if elapsed >= settings.release_watch_seconds and finding.verdict is not Verdict.WAIT:
                break
        words = self.decided(finding)
        self.note("watch", share, self.with_online_figures(words))

    def decided(self, finding: Finding) -> str:
        """What to record of the last finding of a watch.

        Raises:
            AbortedError: there was none, and what is undecided does not go on.
        """
        if finding.verdict is not Verdict.WAIT:
            return finding.words
        words = f"undecided: {finding.words}"
        if self.environment.settings.release_undecided == "abort":
            raise AbortedError(words)
        return f"{words}; goes on (RELEASE_UNDECIDED=proceed)"

    def promote(self) -> None:
        """Make the version the live one; the other slot keeps what was."""
        publish_popular(self.environment.settings, self.target.version)
        before = self.deployed.live
        words = f"live in place of {before.version}" if before else "live, the first"
        self.note("promote", BUCKETS, words, live=self.target)
        metrics.show_live(DeploymentState(self.target, before))

    def give_up(self, error: Exception) -> None:
        """Put traffic back first; then record why. Without a database, `recover` records it."""
        revert(self.environment.settings, self.deployed)
        metrics.RELEASES.labels("aborted").inc()
        try:
            self.note("abort", 0, str(error))
        except psycopg.Error:
            LOG.exception("abort not recorded yet", version=self.target.version)

    def polls(self, seconds: float) -> Iterator[float]:
        """Turn now, every half second, and after `seconds` a last time; the seconds passed.

        Raises:
            AbortedError: somebody wants the release to stop.
        """
        began = time.monotonic()
        while True:
            if reason := self.environment.stop_reason():
                raise AbortedError(reason)
            elapsed = time.monotonic() - began
            yield elapsed
            if elapsed >= seconds:
                return
            time.sleep(min(POLL_SECONDS, seconds - elapsed))

    def slot_says(self, target: Placement) -> Readiness:
        """What the target's slot says of itself."""
        return readiness(self.environment.client, self.environment.settings.url(target.slot))

    def new_traffic(self) -> Traffic | None:
        """What the new version's slot counted."""
        return traffic(self.environment.client, self.environment.settings.url(self.target.slot))

    def old_traffic(self) -> Traffic | None:
        """What the live version's slot counted."""
        return traffic(
            self.environment.client, self.environment.settings.url(self.target.slot.other)
        )

    def with_online_figures(self, words: str) -> str:
        """Add what people did after the new version's answers, where it is known already."""
        figures = records.online_figures(self.environment.connection, self.target.version)
        return f"{words}; online: {figures}" if figures else words

    def note(
        self,
        step: records.StepName,
        share: int,
        words: str,
        *,
        slot: Slot | None = None,
        live: Placement | None = None,
    ) -> None:
        """Record a step and say it; slot and live version are those of the run unless given."""
        live = live or self.deployed.live
        deployment = records.Deployment(
            job_id=self.environment.job_id,
            action=self.action,
            step=step,
            version=self.target.version,
            slot=slot or self.target.slot,
            share=share,
            live_version=live.version if live else None,
            live_slot=live.slot if live else None,
            reason=words,
        )
        records.record(self.environment.connection, deployment)
        metrics.SHARE.set(share)
        self.environment.say(f"{step}: {words}")


def _observed(slot: Slot, total: Traffic | None, before: Traffic | None) -> Observed:
    since = total.since(before) if total and before else Traffic()
    return Observed(slot, total, since)

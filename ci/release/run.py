"""One release or rollback under way: its steps, done on the slots and recorded."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Unpack, assert_never

import psycopg
import structlog

from ci import metrics
from ci.certificate.release_certificate import Promoted, issue
from ci.errors import AbortedError
from ci.release import actions, quality, records
from ci.release.environment import Environment
from ci.release.evidence import LIVE, REPLAYED, Evidence, live_measurements, slot_log
from ci.release.plan import (
    UNREADY_POLLS,
    AwaitReady,
    DeploymentState,
    Finding,
    Judge,
    Observed,
    Place,
    Placement,
    Promote,
    Readiness,
    ReleaseVerdict,
    Replay,
    Shift,
    Step,
    Watch,
    finding_of,
)
from ci.release.recent_requests import exchange, recent_users, replay, seen_movies
from ci.release.replay import Measurement, judge_replayed
from ci.release.slots import readiness, traffic
from ci.slots import code
from ci.slots.state import BUCKETS
from ci.slots.traffic import Counted, Traffic
from monitoring.experiments.gate import Decision, Ruling, rule, unless_silent

LOG = structlog.get_logger()


@dataclass(frozen=True)
class Run:
    """One release or rollback under way."""

    environment: Environment
    action: records.Action
    target: Placement
    deployed: DeploymentState
    evidence: Evidence
    seed: int = 0  # buckets are drawn by it and the version: another at each release of it
    because: str = ""
    """Why the last step was taken by somebody else than began, if so."""

    @classmethod
    def of(
        cls,
        environment: Environment,
        action: records.Action,
        target: Placement,
        deployed: DeploymentState,
        because: str = "",
    ) -> "Run":
        """A run of which nothing was seen yet."""
        evidence = Evidence(environment.job_id, target.version)
        seed = records.times_begun(environment.connection, target.version)
        return cls(environment, action, target, deployed, evidence, seed, because)

    def is_release(self) -> bool:
        """Whether it brings something new, that is judged on its way."""
        return self.action in {"release", "code release"}

    def carry_out(self, steps: Sequence[Step]) -> None:
        """Begin, do the steps, and put everything back if one of them fails."""
        with self.kept_or_undone():
            self.begin()
            self.do_all(steps)

    @contextmanager
    def kept_or_undone(self) -> Iterator[None]:
        """Put everything back if something fails; keep what is live afterwards otherwise."""
        try:
            yield
        except Exception as error:
            self.give_up(error)
            raise
        self.keep_reserve()

    def do_all(self, steps: Sequence[Step]) -> None:
        """Do the steps in their order."""
        begun = self.counted() if self.is_release() else Counted(datetime.now(UTC))
        self.environment.course.lay(steps, self.environment.settings)
        for step in steps:
            self.environment.course.step()
            self.do(step, begun)

    def begin(self, intent: str | None = None) -> None:
        """Record the intent, end experiments, and gather all traffic on the live version."""
        live = self.deployed.live
        replaced = f"in place of {live.version}" if live else "the first release"
        self.note("start", 0, intent or replaced)
        reason = f"a {self.action} of {self.target.version} needs its slot"
        for name in records.end_experiments(self.environment.connection, reason):
            self.environment.say(f"experiment {name} was ended")
        if live:
            actions.send(self.environment.settings, live, BUCKETS)
            actions.place(self.environment.settings, live)

    def do(self, step: Step, begun: Counted) -> None:
        """Do one step and record it.

        Raises:
            AbortedError: what was seen speaks against the version.
        """
        match step:
            case Place(target):
                actions.place(self.environment.settings, target)
                words = f"{target.slot} was told to load {target.version}"
                self.note("place", 0, words, slot=target.slot)
            case AwaitReady(target):
                self.await_ready(target)
            case Replay():
                self.replay()
            case Shift(share):
                actions.send(self.environment.settings, self.target, share, self.seed)
                self.note("shift", share, f"{share} of {BUCKETS} buckets go to {self.target.slot}")
            case Watch(share):
                self.watch(share, begun)
            case Judge(share):
                self.judge_quality(share, begun)
            case Promote():
                self.promote(begun)
            case _:
                assert_never(step)

    def await_ready(self, target: Placement) -> None:
        """Wait until the slot answers with the version, or says that it never will."""
        missing: str | None = None
        for elapsed in self.environment.polls(self.environment.settings.release_ready_seconds):
            says = self.slot_says(target)
            missing = says.missing(target.version)
            if missing is None:
                words = f"{target.slot} is ready after {elapsed:.1f} s"
                self.note("ready", 0, words, slot=target.slot)
                return
            if says.refused == target.version:
                break
        words = f"{target.slot} is not ready with {target.version} after {elapsed:.1f} s: {missing}"
        raise AbortedError(words)

    def replay(self) -> None:
        """Ask both slots again what people asked lately, and judge the new version's answers.

        Raises:
            AbortedError: they speak against it.
        """
        environment, settings = self.environment, self.environment.settings
        users = recent_users(environment.connection, settings.release_replay_requests)
        seen = seen_movies(environment.connection, users)
        slots = settings.url(self.target.slot), settings.url(self.target.slot.other)
        exchanges = []
        for replies in replay(environment.client, slots, users, settings.release_replay_rate):
            if reason := environment.stop_reason():
                raise AbortedError(reason)
            exchanges.append(exchange(replies, seen))
        replayed = judge_replayed(exchanges, settings.replay_bounds())
        self.evidence.differing = replayed.differing
        finding, measured = replayed.finding, replayed.measurements
        self.evidence.keep(environment.connection, REPLAYED, 0, measured, finding)
        if finding.verdict is ReleaseVerdict.STOP:
            raise AbortedError(f"{REPLAYED}: {finding.words}")
        self.note("replay", 0, finding.words, evidence=REPLAYED if exchanges else None)

    def watch(self, share: int, begun: Counted) -> None:
        """Watch the version at this share until there is something to judge it by.

        The first bad finding ends the release. What patience does not decide, the setting
        RELEASE_UNDECIDED does, and it is recorded as undecided.

        Raises:
            AbortedError: what was seen speaks against the version, or nothing was seen.
        """
        settings = self.environment.settings
        seconds = settings.longest_watch_seconds()
        guard = quality.Guard(self.environment.connection, self.deployed, self.target)
        for elapsed, found, seen in self.guarded_polls(seconds, share, begun, guard):
            finding, measured = found, seen
            if (
                elapsed >= settings.release_watch_seconds
                and finding.verdict is not ReleaseVerdict.WAIT
            ):
                break
        guard.look()
        self.evidence.keep(self.environment.connection, LIVE, share, measured, finding)
        kind = LIVE if finding.verdict is ReleaseVerdict.GO else self.evidence.without_live()
        spoke = f"; {REPLAYED} requests spoke for it" if kind == REPLAYED else ""
        words = self.decided(Finding(finding.verdict, f"{finding.words}{spoke}"))
        words += records.online_figures(self.environment.connection, self.target.version)
        self.note("watch", share, words, evidence=kind)

    def judge_quality(self, share: int, begun: Counted) -> None:
        """Hold this share for a horizon, then until the gate decides or patience is over.

        Raises:
            AbortedError: people are worse off, or it is not known and that does not go on.
        """
        live = self.deployed.live
        if live is None:
            return
        settings, connection = self.environment.settings, self.environment.connection
        horizon = settings.evaluation_horizon
        quality.begin(connection, live, self.target, quality.Draw(share, self.seed), horizon)
        words = "people judge it, which takes {} at least and {} at most"
        self.environment.say(words.format(horizon, settings.release_patience))
        ruling = Ruling(Decision.WAIT, "not looked at yet")
        patience = settings.release_patience.total_seconds()
        guard = quality.Guard(connection, self.deployed, self.target)
        for elapsed, finding, _measured in self.guarded_polls(patience, share, begun, guard):
            silent = [finding.words] if finding.verdict is ReleaseVerdict.WAIT else []
            ruling = unless_silent(rule(connection, self.target.version), silent)
            if ruling.decision is Decision.STOP:
                raise AbortedError(f"the gate says stop: {ruling.reason}")
            if ruling.decision is Decision.GO and elapsed >= horizon.total_seconds():
                break
        guard.look()
        words = self.decided(Finding(ReleaseVerdict(ruling.decision), f"quality: {ruling.reason}"))
        records.end_experiments(connection, f"the release goes on: {words}")
        self.note("watch", share, words)

    def guarded_polls(
        self, seconds: float, share: int, begun: Counted, guard: quality.Guard
    ) -> Iterator[tuple[float, Finding, tuple[Measurement, ...]]]:
        """Each poll's time since the first, and what both slots' own figures say by then.

        What people got is asked less often than the slots: their receipts are many.

        Raises:
            AbortedError: they or what people got speak against it, or its slot is not ready.
        """
        bounds = self.environment.settings.bounds()
        missed, new_before = 0, self.counted().new
        answered_before = records.was_anybody_answered(self.environment.connection)
        for elapsed in self.environment.polls(seconds):
            missing = self.slot_says(self.target).missing(self.target.version)
            missed = missed + 1 if missing else 0
            if missed >= UNREADY_POLLS:
                raise AbortedError(f"{self.target.slot} stopped being ready: {missing}")
            now = self.counted()
            new_before = new_before or now.new
            seen = (
                Observed.of(self.target.slot, now.new, new_before),
                Observed.of(self.target.slot.other, now.old, begun.old or Traffic()),
            )
            finding = finding_of(*seen, bounds, answered_before=answered_before)
            measured = live_measurements(*seen, bounds)
            self.evidence.measure(LIVE, share, measured)
            if finding.verdict is ReleaseVerdict.STOP:
                self.evidence.keep(self.environment.connection, LIVE, share, measured, finding)
                raise AbortedError(finding.words)
            guard.look_if_due(elapsed)
            yield elapsed, finding, measured

    def decided(self, finding: Finding) -> str:
        """What to record of the last finding of a watch.

        Raises:
            AbortedError: there was none, and what is undecided does not go on.
        """
        if finding.verdict is not ReleaseVerdict.WAIT:
            return finding.words
        words = f"undecided: {finding.words}"
        if self.environment.settings.release_undecided == "abort":
            raise AbortedError(words)
        return f"{words}; goes on (RELEASE_UNDECIDED=proceed)"

    def promote(self, begun: Counted) -> None:
        """Make the version the live one, and certify it; the other slot keeps the one before."""
        actions.publish_popular(self.environment.settings, self.target.version)
        words = f"{self.replaced()}; {self.because}" if self.because else self.replaced()
        connection, job_id = self.environment.connection, self.environment.job_id
        self.record("promote", BUCKETS, words, certificate=self.certificate(begun))
        try:  # it is live by now: whatever fails from here on undoes nothing
            self.environment.say(f"promote: {words}")
            if brought := self.brings():
                slot = self.target.slot
                code.record_code(connection, slot, brought, code.Outcome.RELEASED, job_id)
            metrics.show_live(records.deployed(connection))
        except psycopg.Error:
            LOG.exception("live, but not all of it is told", version=self.target.version)

    def replaced(self) -> str:
        """What went live in place of what, in words."""
        before = self.deployed.live
        if before is None:
            return "live, the first"
        if brought := self.brings():
            return f"live with the code of {brought.image}"
        asked = self.action != "release" or self.environment.judges_quality
        unasked = "" if asked else "; people were not asked (QUALITY=skip)"
        return f"live in place of {before.version}{unasked}"

    def brings(self) -> code.Code | None:
        """The code that it brings; None of a model's."""
        return code.code_of(self.environment.connection, self.environment.job_id)

    def certificate(self, begun: Counted) -> str:
        """What was proven until now."""
        before, brought = self.deployed.live, self.brings()
        promoted = Promoted(
            self.action,
            self.target.version,
            self.target.slot,
            before.version if before else None,
            self.environment.settings.git_commit,
            vars(brought) if brought else None,
        )
        return issue(self.environment.connection, promoted, begun, self.counted())

    def keep_reserve(self) -> None:
        """After a rollback, give the slot that was left what the next one would return to."""
        standby = records.deployed(self.environment.connection).standby
        if standby:
            actions.place(self.environment.settings, standby)

    def give_up(self, error: Exception) -> None:
        """Put traffic back first; then record why. Without a database, `recover` records it."""
        actions.settle(self.environment.settings, self.deployed)
        metrics.RELEASES.labels("aborted").inc()
        try:
            records.end_experiments(self.environment.connection, f"given up: {error}")
            self.note("abort", 0, str(error))
            self.keep_evidence(str(error))
        except psycopg.Error:
            LOG.exception("abort not recorded yet", version=self.target.version)

    def keep_evidence(self, reason: str) -> None:
        """Keep in the database what was seen of a version that a release took back."""
        if self.is_release():
            url = self.environment.settings.url(self.target.slot)
            log = slot_log(self.environment.client, url)
            self.evidence.reject(self.environment.connection, self.target.slot, reason, log)

    def slot_says(self, target: Placement) -> Readiness:
        """What the target's slot says of itself."""
        return readiness(self.environment.client, self.environment.settings.url(target.slot))

    def counted(self) -> Counted:
        """What both slots have counted; None of one that cannot be read."""
        client, settings = self.environment.client, self.environment.settings
        slots = self.target.slot, self.target.slot.other
        new, old = (traffic(client, settings.url(slot)) for slot in slots)
        return Counted(datetime.now(UTC), new, old)

    def note(
        self,
        step: records.StepName,
        share: int,
        words: str,
        **details: Unpack[records.Details],
    ) -> None:
        """Record a step and say it; the slot is the run's unless given."""
        self.record(step, share, words, **details)
        self.environment.say(f"{step}: {words}")

    def record(
        self,
        step: records.StepName,
        share: int,
        words: str,
        **details: Unpack[records.Details],
    ) -> None:
        """Record a step, and nothing else."""
        live = self.target if step == "promote" else self.deployed.live
        deployment = records.Deployment(
            job_id=self.environment.job_id,
            action=self.action,
            step=step,
            version=self.target.version,
            slot=self.target.slot,
            share=share,
            live_version=live.version if live else None,
            live_slot=live.slot if live else None,
            reason=words,
        )
        records.record(self.environment.connection, replace(deployment, **details))
        metrics.SHARE.set(share)

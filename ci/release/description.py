"""What a release would do now, in words: each step, what would stop it there, and its undo."""

from collections.abc import Iterator
from typing import assert_never

import psycopg

from ci.errors import RefusedError
from ci.release import records
from ci.release.plan import (
    AwaitReady,
    DeploymentState,
    Judge,
    Place,
    Promote,
    Replay,
    Shift,
    Step,
    Watch,
    plan,
    target_of,
)
from ci.release.recovery import remaining
from ci.settings import Settings
from ci.slots import code
from ci.slots.state import BUCKETS


def planned(
    connection: psycopg.Connection,
    settings: Settings,
    asked_for: str | None,
    *,
    judged: bool = True,
) -> Iterator[str]:
    """The lines that `make release PLAN=1` prints; nothing is changed.

    Args:
        connection: to the database.
        settings: how a release goes.
        asked_for: the version; None for the newest accepted one.
        judged: whether people are asked on the way.

    Raises:
        RefusedError: the release would not be begun.
    """
    deployed = records.deployed(connection)
    version = records.choose_version(connection, asked_for)
    yield from first_of_all(connection, deployed)
    live = deployed.live
    if live and live.version == version:
        yield f"{version} is live already; nothing would be changed"
        return
    if live and (words := code.difference(connection)):
        raise RefusedError(words)
    judge_share = settings.release_judge_share if judged else None
    steps = plan(version, deployed, settings.release_steps, judge_share)
    target = target_of(version, deployed)
    where = f"in place of {live.version} in {live.slot}" if live else "the first"
    yield f"release of {version} in {target.slot}, {where}: {len(steps) + 1} steps"
    words = f"all {BUCKETS} buckets go to {live.slot}" if live else "recorded"
    yield line(1, "start", f"{words}; ends the running experiment, if any", "nothing to undo")
    for number, step in enumerate(steps, 2):
        yield line(number, *described(step, deployed, settings))


def described(step: Step, deployed: DeploymentState, settings: Settings) -> tuple[str, str, str]:
    """A step's name as in `deployment`, what it does or waits for, and what undoes it."""
    back = f"all buckets go to {deployed.live.slot}" if deployed.live else "nothing was live before"
    match step:
        case Place(target):
            kept = deployed.standby
            undo = f"{target.slot} loads {kept.version}" if kept else "nothing was there before"
            return "place", f"{target.slot} loads {target.version}", undo
        case AwaitReady(target):
            seconds = settings.release_ready_seconds
            words = f"{target.slot} answers with {target.version} within {seconds:g} s"
            return "ready", words, "nothing to undo"
        case Replay():
            return "replay", _replayed(settings), "nothing to undo: nobody gets these answers"
        case Shift(share):
            return "shift", f"{share} of {BUCKETS} buckets go to the new version", back
        case Watch() | Judge():
            words = _judged(settings) if isinstance(step, Judge) else _watched(settings)
            return "watch", words, back
        case Promote():
            undo = f"make rollback: {back}" if deployed.live else "no version to go back to"
            return "promote", "the new version is the live one; its lists go to Nginx", undo
        case _:
            assert_never(step)


def _replayed(settings: Settings) -> str:
    bounds = settings.replay_bounds()
    return (
        f"the last {settings.release_replay_requests} requests again, at most"
        f" {settings.release_replay_rate:g} a second; stops at errors and slowness as a watch does,"
        f" at short lists as at errors, at more than {bounds.seen_share:.1%} of lists with a movie"
        f" seen before, or less than {bounds.overlap:.1%} of the live lists in the new ones"
    )


def _watched(settings: Settings) -> str:
    return (
        f"at least {settings.release_watch_seconds:g} s; stops at failed answers beyond chance and"
        f" {settings.release_error_share:.1%} above the old version's, or at a 99th percentile"
        f" above {settings.release_p99_seconds * 1000:g} ms and twice the old one's; undecided"
        f" after {settings.release_patience}: {settings.release_undecided}"
    )


def _judged(settings: Settings) -> str:
    return (
        f"people judge it, at least {settings.evaluation_horizon}; stops when they are worse off;"
        f" undecided after {settings.release_patience}: {settings.release_undecided}"
    )


def first_of_all(connection: psycopg.Connection, deployed: DeploymentState) -> Iterator[str]:
    """What comes before it: the end of what is under way, or died."""
    last = records.last_step(connection)
    if last and not last.ended:
        does = "finished" if remaining(last, deployed) else "undone"
        yield (
            f"first: the {last.action} of {last.version}, at its step {last.step}, is superseded if"
            f" it is under way; {does} if its releaser died"
        )


def line(number: int, name: str, what: str, undo: str) -> str:
    """A step as the plan shows it."""
    return f"{number:2} {name:8} {what}\n{'':12}undo: {undo}"

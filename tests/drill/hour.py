"""An hour in which a stack is left alone, and whether it does what it is to do.

    python -m tests.drill.hour PERIOD BEGIN

It trains and releases each PERIOD minutes by itself, first at BEGIN (seconds since 1970). After the
second training a version is slipped in that passed the offline gate and has its movies under other
movies' names; in the third period the live slot is killed; after the fourth training a version is
slipped in of which only people can tell that it is bad; after the fifth release an experiment is
begun. Nothing else is done. What was expected and seen is in build/drill/hour.json; in
hour-story.txt beside it is what `make story` tells, in hour.png what /status shows. Exit status 1:
something expected was not so.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import typer

from tests.benchmarks.report import ROOT, measured_commit, progress
from tests.browser import browser, largest_paint, show
from tests.drill.hour_expectations import Expectation, Played, expectations, unexpected
from tests.drill.slipped_in import slip_in
from tests.end_to_end.conftest import Stack
from tests.end_to_end.test_4_alerts import ask
from tests.waiting import eventually

REPORTS = ROOT / "build" / "drill"
PERIODS = 5
EXPERIMENT = "the version before, once more"
WIDTH, HEIGHT = 1000, 1700
"""Of the picture, in pixels."""
LOADS = 5

TRAINED = "SELECT count(*) FROM model_version WHERE created_at > '{}'"
RELEASED = """
SELECT count(*) FROM deployment
WHERE action = 'release' AND step IN ('promote', 'abort') AND at > '{}'
"""
PROMOTED = """
SELECT live_version, live_slot FROM deployment WHERE step = 'promote' ORDER BY step_id DESC LIMIT 2
"""
LOOKED_AT = "SELECT people FROM experiment_verdict WHERE name = '{}' AND verdict IS NOT NULL"


class Hour:
    """The periods of an hour, and what is done in each."""

    def __init__(self, stack: Stack, period: timedelta, begun: datetime) -> None:
        """Know the stack, and when which period begins."""
        self.stack, self.period, self.begun = stack, period, begun

    def start_of(self, number: int) -> datetime:
        """When a period begins; the first is 1."""
        return self.begun + (number - 1) * self.period

    def slip_in(self, number: int, kind: str) -> str:
        """Publish a spoiled version once the training of a period has ended; its name."""
        self.await_one(number, TRAINED, "a training")
        version = slip_in(self.stack, kind)
        self.tell(f"slipped in {version}: another's {kind}")
        return version

    def kill_live_slot(self, number: int) -> str:
        """Kill all of the live slot's processes in the middle of a period's training; its name."""
        wait_until(self.start_of(number) + timedelta(seconds=10))
        slot = f"recommender-{self.stack.sql(PROMOTED)[0][1]}"
        self.stack.compose("exec", "-T", slot, "sh", "-c", "kill -KILL -1", check=False)
        self.tell(f"killed {slot}")
        return slot

    def begin_experiment(self, number: int) -> str:
        """Try the version before the live one once a period's release has ended."""
        self.await_one(number, RELEASED, "a release")
        before = self.stack.sql(PROMOTED)[1][0]
        settings = (f"CHALLENGER={before}", "SHARE=500", f"NAME={EXPERIMENT}")
        done = self.stack.make("experiment", *settings)
        self.tell(done.stdout.strip() or done.stderr.strip())
        return EXPERIMENT

    def play(self) -> Played:
        """Leave it alone, but for what is done to it."""
        misnamed = self.slip_in(2, "names")
        killed = self.kill_live_slot(3)
        misranked = self.slip_in(4, "lists")
        tried = self.begin_experiment(5)
        wait_until(self.start_of(PERIODS + 1))
        eventually(lambda: self.stack.sql(LOOKED_AT.format(tried)), 120, "a look at the experiment")
        return Played(self.begun, misnamed, misranked, killed, tried)

    def await_one(self, number: int, query: str, what: str) -> None:
        """Wait for something of a period."""
        wait_until(self.start_of(number))
        since = query.format(self.start_of(number))
        seconds = self.period.total_seconds()
        eventually(lambda: self.stack.sql(since)[0][0] > 0, seconds, f"{what} of period {number}")

    def tell(self, words: str) -> None:
        """Say what was done, and when."""
        progress(f"{(datetime.now(UTC) - self.begun).total_seconds() / 60:5.1f} min  {words}")


def wait_until(moment: datetime) -> None:
    """Sleep; a moment that is past is not waited for."""
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


def of_the_services(stack: Stack, played: Played) -> Iterator[Expectation]:
    """What the tables do not say."""
    killed = stack.container(played.killed)
    seen = f"{killed['State']['Health']['Status']}, started {killed['RestartCount']} times again"
    well = stack.is_healthy(played.killed) and killed["RestartCount"] > 0
    yield Expectation("the slot that was killed is back", seen, well)
    minutes = int((datetime.now(UTC) - played.begun).total_seconds() / 60) + 1
    fired = ask(f'max_over_time(ALERTS{{alertstate="firing"}}[{minutes}m])')
    named = {(alert["metric"]["alertname"], alert["metric"]["severity"]) for alert in fired}
    yield unexpected(named)
    audit = stack.compose("exec", "-T", "retention", "python", "-m", "ingest", "audit", check=False)
    yield Expectation("every line is accounted for", audit.strip(), "balance" in audit)
    chained = stack.make("certificates")
    yield Expectation(
        "no release's certificate was changed", chained.stdout.strip(), chained.returncode == 0
    )


def picture(port: int) -> dict[str, float]:
    """Take the picture of /status; its bytes, and when its largest part was drawn (ms)."""
    with browser("light") as page:
        show(page, WIDTH, HEIGHT)
        paints = []
        for _ in range(LOADS):
            page.get(f"http://127.0.0.1:{port}/status")
            paints.append(largest_paint(page))
        page.save_screenshot(str(REPORTS / "hour.png"))
        size = len(page.execute_script("return document.documentElement.outerHTML").encode())
    return {"bytes": size, "largest_paint_ms": sorted(paints)[LOADS // 2]}


def report(hour: Hour, played: Played) -> bool:
    """Write down what was seen; whether all of it was expected."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    found = [*expectations(hour.stack.sql, played), *of_the_services(hour.stack, played)]
    for each in found:
        progress(f"{'  ok' if each.met else 'FAILED'}  {each.expected}: {each.seen}")
    minutes = (datetime.now(UTC) - hour.begun).total_seconds() / 60
    story = hour.stack.make("story", f"SINCE={minutes:.0f} minutes")
    (REPORTS / "hour-story.txt").write_text(story.stdout)
    told = {
        "commit": measured_commit(),
        "played": {**asdict(played), "begun": played.begun.isoformat()},
        "minutes": round(minutes, 1),
        "expectations": [asdict(each) for each in found],
        "page": picture(hour.stack.nginx_port),
    }
    (REPORTS / "hour.json").write_text(json.dumps(told, indent=2) + "\n")
    return all(each.met for each in found)


def main(period: int, begin: int) -> None:
    """Leave the stack alone for five periods of so many minutes."""
    stack, begun = Stack(int(os.environ["NGINX_PORT"])), datetime.fromtimestamp(begin, UTC)
    hour = Hour(stack, timedelta(minutes=period), begun)
    sys.exit(0 if report(hour, hour.play()) else 1)


if __name__ == "__main__":
    typer.run(main)

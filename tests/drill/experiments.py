"""Experiments on a whole stack with 20,000 people: a worse challenger, an equal, a better one.

    python -m tests.drill.experiments

The stack began with popularity alone; EASE took its place by itself. Its own movies under other
names are then tried against it (worse: they come as fast and are as personal, so that only people
can tell), it against itself (an A/A test: no verdict may decide for either), and, after those
misnamed lists were released without asking people, EASE against them, first by halves of the
people, then interleaved (better). All of it by the commands that monitoring/README.md shows; what
each verdict rested on is printed.
"""

import os
import re
import time
from pathlib import Path

import typer

from tests.drill.slipped_in import slip_in
from tests.end_to_end.conftest import CHECKOUT, Stack
from tests.end_to_end.shell import typed
from tests.waiting import eventually

PATIENCE = 25 * 60
"""Nobody waits so long unless something is wrong."""
LOOKED_AT_PEOPLE = 1500
"""So many people of an A/A test are counted before its verdict is read."""
LIVE = """
SELECT live_version, algorithm FROM live_now
JOIN model_version ON model_version.version = live_version
"""

VERDICT = """
SELECT verdict, people, low, value, high, ended_at IS NOT NULL
FROM experiment_verdict ORDER BY experiment_id DESC LIMIT 1
"""
DECIDED = ("better", "worse", "stop")


def drill(stack: Stack) -> None:
    """Run the four experiments, one after the other."""
    eventually(lambda: live(stack)[1] == "ease", PATIENCE, "EASE live in place of popularity")
    ease = live(stack)[0]
    bad = slip_in(stack, "lists")
    decided(stack, bad, "worse")
    equal(stack, ease)
    make(stack, "release", f"VERSION={bad}", "QUALITY=skip")
    decided(stack, ease, "better")
    decided(stack, ease, "better", "KIND=interleaving")


def live(stack: Stack) -> tuple[str, str]:
    """The version that is live and its algorithm; empty where there is none yet."""
    rows = stack.sql(LIVE)
    return (rows[0][0], rows[0][1]) if rows else ("", "")


def decided(stack: Stack, challenger: str, expected: str, *settings: str) -> None:
    """Try a version until there is a verdict; it must be what is expected."""
    begun = begin(stack, challenger, *settings)
    eventually(lambda: stack.sql(VERDICT)[0][0] in DECIDED, PATIENCE, lambda: stack.sql(VERDICT))
    tell(begun)
    assert stack.sql(VERDICT)[0][0] == expected, stack.sql(VERDICT)
    if not stack.sql(VERDICT)[0][-1]:  # what harms is ended by itself
        run("make experiment-stop")


def equal(stack: Stack, version: str) -> None:
    """Try the live version against itself until enough are counted; nothing may be decided."""
    begun = begin(stack, version)
    eventually(
        lambda: (stack.sql(VERDICT)[0][1] or 0) >= LOOKED_AT_PEOPLE,
        PATIENCE,
        lambda: stack.sql(VERDICT),
    )
    assert stack.sql(VERDICT)[0][0] in ("undecided", "no_difference"), stack.sql(VERDICT)
    tell(begun)
    run("make experiment-stop")


def begin(stack: Stack, challenger: str, *settings: str) -> float:
    """Begin an experiment as a person would, with half of the people; when that was."""
    make(stack, "experiment", f"CHALLENGER={challenger}", *settings)
    return time.monotonic()


def make(stack: Stack, *words: str) -> None:
    """Have a target made; it must end well."""
    done = stack.make(*words)
    assert done.returncode == 0, done.stdout + done.stderr


def tell(begun: float) -> None:
    """Print how long it took and the experiment's sentence; its interval must have been drawn."""
    sentence = run("make experiments").strip().splitlines()[-1]
    typer.echo(f"after {time.monotonic() - begun:.0f} s: {sentence}")
    drawn = Path(CHECKOUT / "build/experiment.svg").read_text()
    assert re.search(r"<svg", drawn)


def run(command: str, filled: dict[str, str] | None = None) -> str:
    """Type a command that a README shows; what it said."""
    done = typed(command, filled)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


if __name__ == "__main__":
    drill(Stack(nginx_port=int(os.environ["NGINX_PORT"])))

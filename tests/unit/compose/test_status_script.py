"""`make status` in a terminal and in a pipe: the script, and what it runs in the container."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.unit.compose.shell import CHECKOUT

SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
NOWHERE = "http://127.0.0.1:1/"
DOCKER = f"""\
#!/bin/bash
# What there is of an engine: no containers and no volumes; what is run in one is run here, where it
# has no terminal either, and of the environment what it is given.
set -o pipefail
case "$*" in
  "compose exec -T "*)
    shift 3
    given=()
    while [ "$1" = --env ]; do given+=("$2"); shift 2; done
    shift 2  # evaluation python
    env -u NO_COLOR -u COLUMNS "${{given[@]}}" {sys.executable} "$@" | cat ;;
  "system df "*) echo '[]' ;;
esac
"""


@pytest.fixture(name="environment")
def _environment(tmp_path):
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    return {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "DATABASE_HOST": "127.0.0.1",
        "DATABASE_PORT": "1",
        "DATABASE_USER": "evaluation",
        "DATABASE_PASSFILE": str(tmp_path / "none"),
        "PROMETHEUS_URL": NOWHERE,
        "INGEST_METRICS_URL": NOWHERE,
        "BACKUP_METRICS_URL": NOWHERE,
    }


def in_a_terminal(environment, width) -> str:
    """What the script shows in a terminal of so many columns."""
    command = f"stty cols {width}; compose/status.sh"
    shown = subprocess.run(
        ["script", "--quiet", "--command", command, "/dev/null"],
        cwd=CHECKOUT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip
    return shown.stdout.decode()


@pytest.mark.parametrize("colour", [{}, {"NO_COLOR": "1"}], ids=["colour", "no colour"])
@pytest.mark.parametrize("width", [60, 80, 100])
def test_it_is_as_wide_as_the_terminal_in_colour_or_not(environment, width, colour):
    shown = in_a_terminal(environment | colour, width)
    assert bool(SEQUENCE.search(shown)) is not bool(colour)
    lines = SEQUENCE.sub("", shown).splitlines()
    assert any("last backup" in line for line in lines)
    assert width // 2 < max(map(len, lines)) <= width


@contextmanager
def watched(environment) -> Iterator[subprocess.Popen[bytes]]:
    """The script, which shows again and again what is, into a pipe."""
    with subprocess.Popen(
        ["compose/status.sh"], cwd=CHECKOUT, env=environment | {"WATCH": "1"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
    ) as running:  # fmt: skip
        try:
            yield running
        finally:
            running.terminate()


def test_who_watches_through_a_pipe_gets_one_plain_block_after_the_other(environment):
    with watched(environment) as running:
        shown = b""
        while shown.count(b"last backup") < 2:
            shown += running.stdout.read1()
    assert b"\x1b" not in shown

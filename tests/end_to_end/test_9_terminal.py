"""What `make status` shows in a terminal, and where there is none."""

import re
import subprocess

from tests.end_to_end.conftest import CHECKOUT

WIDTH = 80
CLEAR = "\x1b[H\x1b[2J"
SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
CONTROL_C = b"\x03"


def in_a_terminal(command: str) -> subprocess.Popen[bytes]:
    """Run a command in a terminal of 80 columns."""
    return subprocess.Popen(
        ["script", "--quiet", "--command", f"stty cols {WIDTH}; {command}", "/dev/null"],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def test_status_fits_into_80_columns_and_is_in_colour_there():
    shown, _ = in_a_terminal("make status").communicate()
    assert SEQUENCE.search(shown.decode())
    lines = SEQUENCE.sub("", shown.decode()).splitlines()
    assert any("live model" in line for line in lines)
    assert max(map(len, lines)) <= WIDTH


def test_status_is_plain_where_there_is_no_terminal(stack):
    assert "\x1b" not in stack.make("status").stdout


def test_who_watches_sees_it_again_and_again_until_they_stop_it():
    with in_a_terminal("make status WATCH=1") as watched:
        seen = ""
        while seen.count(CLEAR) < 2:
            seen += watched.stdout.read1().decode()
        watched.stdin.write(CONTROL_C)
        watched.stdin.flush()
        watched.stdout.read()
    assert seen.split(CLEAR)[1].count("live model") == 1
    assert watched.returncode == 0

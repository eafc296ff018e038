"""What is given to make comes to a command as one word, whatever is in it."""

import os
import subprocess

import pytest

from tests.unit.compose.shell import CHECKOUT

GIVEN = 'it\'s $HOME; echo "two"'


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("logs", "SERVICE"),
        ("password", "NAME"),
        ("rotate", "NAME"),
        ("reproduce", "VERSION"),
        ("release", "VERSION"),
        ("release", "QUALITY"),
        ("certificates", "KNOWN"),
        ("experiment", "CHALLENGER"),
        ("experiment", "NAME"),
    ],
)
def test_a_value_is_one_word(tmp_path, target, name):
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    docker.chmod(0o755)
    done = subprocess.run(
        ["make", target, f"{name}={GIVEN}"],
        cwd=CHECKOUT,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert GIVEN in done.stdout.splitlines()

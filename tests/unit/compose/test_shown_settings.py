"""Settings that the documents show are such as `make up` takes and Compose can start with."""

import re
import shlex

import pytest

from tests.shown_commands import ASSIGNED, inline_commands, shown_commands
from tests.unit.compose.shell import bash
from tests.unit.compose.test_compose_settings import WRITE, defaults, shown

SOMEBODYS = re.compile(r"<(\w+)>")


def settings_shown():
    """Each command that gives settings, with them, by name; what stands in <> is somebody's."""
    commands = sorted(shown_commands().keys() | inline_commands())
    for command in (SOMEBODYS.sub(r"\1", one) for one in commands if one.startswith("make ")):
        words = [word for word in shlex.split(command) if ASSIGNED.match(f" {word}")]
        given = dict(word.split("=", 1) for word in words)
        if settings := {name: value for name, value in given.items() if name in defaults()}:
            yield pytest.param(settings, id=command)


@pytest.mark.parametrize("settings", list(settings_shown()))
def test_settings_that_are_shown_are_taken_and_compose_starts_with_them(tmp_path, settings):
    file = tmp_path / "env"
    done = bash(WRITE, environment={"MARQUEE_ENV_FILE": str(file), **settings})
    assert done.returncode == 0, done.stderr
    assert shown(file)

"""What READMEs tell people to type names targets and settings that there are; nothing is run."""

import re
import shlex

import pytest

from tests.shown_commands import DOCUMENTS, FENCED
from tests.unit.compose.shell import CHECKOUT, bash
from tests.unit.compose.test_remembered_settings import ARGUMENTS

INLINE = re.compile(r"`(make [^`]+)`")


def make_commands():
    for path in DOCUMENTS:
        text = path.read_text().replace("\\\n", " ")
        lines = [line for block in FENCED.findall(text) for line in block.splitlines()]
        for line in [*lines, *INLINE.findall(text)]:
            if line.startswith("make "):
                yield pytest.param(line, id=f"{path.relative_to(CHECKOUT)}: {line}")


TARGETS = set(re.findall(r"(?m)^([a-z-]+):.*## ", (CHECKOUT / "Makefile").read_text()))
CHECK_NAMES = "source compose/up/say.sh; source compose/up/settings.sh; check_names"


@pytest.mark.parametrize("command", list(make_commands()))
def test_a_make_command_names_what_there_is(command):
    words = shlex.split(command.split(">")[0].split("|")[0], comments=True)[1:]
    targets = {word for word in words if re.fullmatch(r"[a-z-]+", word)}
    assert targets <= TARGETS
    given = [word.split("=")[0] for word in words if "=" in word]
    done = bash(
        CHECK_NAMES, environment={"GIVEN": " ".join(given), "ARGUMENTS": " ".join(ARGUMENTS)}
    )
    assert done.returncode == 0, done.stderr

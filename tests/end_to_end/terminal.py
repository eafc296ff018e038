"""A command as somebody runs it who sits at a terminal: what it prints, and what is typed."""

import os
import pty
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """How a command ended, and all that it drew."""

    returncode: int
    drawn: str


def at_a_terminal(
    command: list[str], folder: Path, environment: Mapping[str, str], answers: Mapping[str, str]
) -> Ended:
    """Run a command to its end with a terminal of its own; each question is answered once."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**environment, "TERM": "xterm"},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    drawn, open_questions = b"", dict(answers)
    while more := _read(ours):
        drawn += more
        for question in [each for each in open_questions if each.encode() in drawn]:
            os.write(ours, f"{open_questions.pop(question)}\n".encode())
    os.close(ours)
    return Ended(process.wait(), drawn.decode(errors="replace"))


def _read(terminal: int) -> bytes:
    """The next that was drawn; nothing when nobody can draw any more."""
    try:
        return os.read(terminal, 65_536)
    except OSError:  # EIO: the last process that had it is gone
        return b""

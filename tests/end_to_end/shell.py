"""Types commands into a shell as the READMEs show them."""

import os
import subprocess
from pathlib import Path

from tests.shown_commands import CHECKOUT, inline_commands, shown_commands

PUBLIC_PORT = "8082"
"""What READMEs say; a stack under test has another."""
ENDED = 124


def typed(
    command: str,
    /,
    filled: dict[str, str] | None = None,
    given: str = "",
    seconds: int = 300,
    folder: Path = CHECKOUT,
) -> subprocess.CompletedProcess[str]:
    """Run a command that a README shows, in a terminal; `filled` replaces what stands for others.

    A command that begins with SELECT is typed into `make psql`. What does not end by itself has its
    terminal closed after so many seconds, and the status `ENDED` then.
    """
    assert command in shown_commands().keys() | inline_commands(), f"no README shows: {command}"
    for word, value in (filled or {}).items():
        assert word in command, f"{command} does not name {word}"
        command = command.replace(word, value)
    if command.startswith("SELECT"):
        command, given = "make psql", f"\\pset pager off\n{command.rstrip(';')};\n\\q\n"
    command = command.replace(f":{PUBLIC_PORT}/", f":{os.environ['NGINX_PORT']}/")
    in_terminal = ["script", "--quiet", "--return", "--command", command, "/dev/null"]
    try:
        return subprocess.run(
            in_terminal,
            cwd=folder,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        said = error.stdout or b""
        text = said if isinstance(said, str) else said.decode()
        return subprocess.CompletedProcess(in_terminal, ENDED, text, "")

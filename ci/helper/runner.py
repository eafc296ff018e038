"""Runs one command at a time, tells what it prints, and ends it when nobody listens any more."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, Thread
from time import monotonic, sleep

LONGEST_LINE = 64 * 1024
END_SECONDS = 60
"""How long a command that is told to end has for taking away what it started."""
LOOK_SECONDS = 0.5
"""How often somebody looks whether the caller is still there."""

Tell = Callable[[bytes], None]


class Runner:
    """The one command that runs; whoever comes meanwhile waits for its end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = Lock()
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def turn(self, tell: Tell, gone: Callable[[], bool]) -> Iterator[bool]:
        """Wait for the end of whatever runs; False when the caller went away meanwhile."""
        waited = False
        while not self._turn.acquire(timeout=LOOK_SECONDS):
            if gone():
                yield False
                return
            if not waited:
                tell(b"helper: something else runs; this waits for its end\n")
                waited = True
        try:
            yield True
        finally:
            self._turn.release()

    def run(
        self,
        command: tuple[str, ...],
        environment: Mapping[str, str],
        tell: Tell,
        ended_by: Callable[[], bool],
    ) -> int:
        """Run it to its end, a line after the other to `tell`; its exit status.

        Args:
            command: a program of this image's and its arguments.
            environment: what it gets beside this process's own.
            tell: called with each line, whose end is a line end.
            ended_by: asked again and again; the command is ended when it says so.
        """
        process = subprocess.Popen(  # noqa: S603 -- one of a fixed list
            command,
            cwd=self._folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._process = process
        Thread(target=_end_when, args=(process, ended_by), daemon=True).start()
        with process:
            assert process.stdout  # noqa: S101 -- it is a pipe
            while line := process.stdout.readline(LONGEST_LINE):
                tell(line if line.endswith(b"\n") else line + b"\n")
        self._process = None
        return _as_a_shell_says(process.returncode)

    def end(self) -> None:
        """End what runs, if anything does."""
        if self._process is not None:
            _end(self._process)


def _end_when(process: subprocess.Popen[bytes], ended_by: Callable[[], bool]) -> None:
    """End it when told to; what it left running by its own end would keep its output open."""
    while process.poll() is None and not ended_by():
        sleep(LOOK_SECONDS)
    _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """The whole group: scripts take away what they started when they are told to end.

    The first of them may be gone long before the one that does that.
    """
    with suppress(ProcessLookupError):  # nobody of the group is left
        os.killpg(process.pid, signal.SIGTERM)
        deadline = monotonic() + END_SECONDS
        while monotonic() < deadline:
            process.poll()
            os.killpg(process.pid, 0)
            sleep(LOOK_SECONDS)
        os.killpg(process.pid, signal.SIGKILL)


def _as_a_shell_says(returncode: int) -> int:
    return returncode if returncode >= 0 else 128 - returncode

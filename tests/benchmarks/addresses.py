"""Processes with network addresses of their own: containers of the tests' own image.

BENCH_NETWORK names the network on which they find each other and PostgreSQL; IMAGE_PREFIX
tells which image it is.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.engine import docker

IMAGE = f"{os.environ.get('IMAGE_PREFIX', 'marquee')}/tests"
WITHIN_SECONDS = 120.0


@dataclass(frozen=True)
class Container:
    """One that runs."""

    name: str
    address: str

    def output(self) -> str:
        """What it has said until now."""
        return docker("logs", self.name)

    def await_line(self, line: str) -> None:
        """Wait until it has said so."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while line not in self.output().splitlines():
            assert time.monotonic() < deadline, f"{self.name} did not say {line}"
            time.sleep(0.5)

    def stop(self) -> str:
        """Tell it to stop; all it said."""
        docker("stop", "--time", "20", self.name)
        return self.output()


@contextmanager
def container(*command: str, cpu_shares: int = 1024) -> Iterator[Container]:
    """Run a command of the tests' image; the container is gone afterwards.

    `cpu_shares`: what it gets of the processors where others want them, too.
    """
    network, shares = os.environ["BENCH_NETWORK"], f"--cpu-shares={cpu_shares}"
    options = ("--detach", "--init", shares, "--network", network, "--env", "TEST_DATABASE")
    name = docker("run", *options, IMAGE, *command).strip()
    try:
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        yield Container(name, docker("inspect", "--format", form, name).strip())
    finally:
        docker("rm", "--force", name)


def run(*command: str) -> str:
    """Run a command to its end; its output."""
    with container(*command) as running:
        docker("wait", running.name)
        return running.output()

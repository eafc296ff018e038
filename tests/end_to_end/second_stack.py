"""A second stack beside the first, from a checkout of its own, as a restore starts one."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end.conftest import CHECKOUT
from tests.end_to_end.terminal import Ended, at_a_terminal
from tests.engine import docker
from tests.ports import free_port

PORTS = (
    *("NGINX_PORT", "STATUS_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT"),
    *("POSTGRES_PORT", "KAFKA_PORT"),
)
PROJECT = "marquee-test-restored"


@dataclass(frozen=True)
class Clone:
    """A checkout with settings of its own, as somebody has it who restores beside a stack."""

    folder: Path

    def environment(self) -> dict[str, str]:
        """Its name, and else nothing of settings: what is not given comes from the backup."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "COMPOSE_PROJECT_NAME": PROJECT,
        }

    def restore(self, backup: Path, *settings: str) -> subprocess.CompletedProcess[str]:
        """Run make restore to its end."""
        return self._run("make", "restore", f"FROM={backup}", *settings)

    def restore_by_hand(self, backup: Path, *settings: str, answer: str = "") -> Ended:
        """Run make restore to its end at a terminal, with an answer to what it asks."""
        command = ["make", "restore", f"FROM={backup}", *settings]
        answers = {"Type 'replace'": answer}
        return at_a_terminal(command, self.folder, self.environment(), answers)

    def compose(self, *arguments: str) -> str:
        """Run docker compose on the second stack; its standard output."""
        return self._run("docker", "compose", *arguments).stdout

    def sql(self, query: str) -> str:
        """What psql prints of it, without its frame."""
        asked = ("--no-align", "--tuples-only", f"--command={query}", "marquee")
        return self.compose(
            "exec", "-T", "postgres", "psql", "--username=analyst", "-h/tmp", *asked
        )

    def remove(self) -> None:
        """Stop it, take away all that it started and built."""
        self._run("make", "down")
        gone = self._run("make", "down", "DATA=gone", given="gone\n")
        of_ours = f"--filter=reference={PROJECT}/*"
        names = docker("images", of_ours, "--format={{.Repository}}:{{.Tag}}").split()
        docker("image", "rm", *names)  # the names: the layers are the first stack's, too
        assert gone.returncode == 0, gone.stderr

    def _run(self, *command: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )


def clone_checkout(folder: Path) -> Clone:
    """A copy of this checkout in a new folder, without what was built or set here."""
    shutil.copytree(CHECKOUT, folder, ignore=shutil.ignore_patterns("build", ".env", ".hypothesis"))
    return Clone(folder)


def names_and_ports() -> list[str]:
    """Settings that the first stack does not use; people who live on, but do very little."""
    names = [f"COMPOSE_PROJECT_NAME={PROJECT}", f"IMAGE_PREFIX={PROJECT}"]
    return [*names, *(f"{name}={free_port()}" for name in PORTS), "SIMULATOR=on", "RATE=0.001"]

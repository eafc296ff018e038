"""Each version and the data it was trained on, pinned by DVC and git on the models volume.

    models/.git, models/.dvc           a repository of its own, and DVC's cache
    models/pins/<version>/model.dvc    the files of versions/<version>, which are hard links
    models/pins/<version>/data.dvc     the interactions that it was trained on

Each version is a commit and a tag `model/<version>`. Only whoever trains changes any of it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.data.files import write_interactions
from trainer.data.interactions import Interactions
from trainer.errors import PinningError

GIT = ("git",)
DVC = (sys.executable, "-m", "dvc")
DVC_CONFIG = """\
[core]
    analytics = false
    check_update = false
[cache]
    type = "hardlink,copy"
"""


@dataclass(frozen=True)
class Pins:
    """The repository on the models volume."""

    models: Path
    scratch: Path
    """Where git and DVC may keep what they need for a moment."""

    def begin(self) -> None:
        """Make the repository if it is not there, and clear up after a training that was killed.

        Raises:
            PinningError: git or DVC would not.
        """
        if not (self.models / ".dvc" / "config").is_file():
            self._make()
        (self.models / ".git" / "index.lock").unlink(missing_ok=True)
        self._run(*GIT, "reset", "--quiet", "--hard")
        self._run(*GIT, "clean", "--quiet", "-d", "--force", "-x", "pins")

    def _make(self) -> None:
        self.models.mkdir(parents=True, exist_ok=True)
        self._run(*GIT, "init", "--quiet", "--initial-branch", "main")
        self._run(*DVC, "init", "--quiet", "--force")
        (self.models / ".dvc" / "config").write_text(DVC_CONFIG)
        (self.models / ".gitignore").write_text("/search/\n/versions/\n")
        self._run(*GIT, "add", ".gitignore", ".dvc", ".dvcignore")
        self._run(*GIT, "commit", "--quiet", "--message", "Begin to pin versions")

    def pin(self, version: str, interactions: Interactions) -> None:
        """Pin a published version and its data; nothing is stored twice.

        Raises:
            PinningError: git or DVC would not; nothing was pinned.
        """
        place = self.models / "pins" / version
        shutil.copytree(self.models / "versions" / version, place / "model", copy_function=os.link)
        write_interactions(place / "data", interactions)
        self._run(*DVC, "add", "--quiet", f"pins/{version}/model", f"pins/{version}/data")
        self._run(*GIT, "add", f"pins/{version}")
        self._run(*GIT, "commit", "--quiet", "--message", version)
        self._run(*GIT, "tag", "--force", f"model/{version}")
        shutil.rmtree(place / "model")
        shutil.rmtree(place / "data")

    def data(self, version: str) -> Path:
        """Fetch the data of a version from DVC's cache: a directory of its files.

        Raises:
            PinningError: the version is not pinned, or its data is not in the cache.
        """
        self._run(*DVC, "checkout", "--quiet", f"pins/{version}/data.dvc")
        return self.models / "pins" / version / "data"

    def let_go(self, versions: Iterable[str]) -> None:
        """Pin these no longer, and take what only they needed from the cache.

        Raises:
            PinningError: git or DVC would not.
        """
        pinned = [name for name in versions if (self.models / "pins" / name).is_dir()]
        if not pinned:
            return
        self._run(*GIT, "rm", "-r", "--quiet", *(f"pins/{name}" for name in pinned))
        self._run(*GIT, "commit", "--quiet", "--message", f"Let {' '.join(pinned)} go")
        self._run(*GIT, "tag", "--delete", *(f"model/{name}" for name in pinned))
        self._run(*DVC, "gc", "--quiet", "--workspace", "--force")

    def push(self, tags_to: str, cache_to: str) -> None:
        """Send tags to another git repository, and the cache to another DVC remote.

        Args:
            tags_to: path or URL of a git repository; empty for none.
            cache_to: path or URL of a DVC remote; empty for none.

        Raises:
            PinningError: one could not be reached.
        """
        if cache_to:
            self._run(*DVC, "remote", "add", "--quiet", "--local", "--force", "backup", cache_to)
            self._run(*DVC, "push", "--quiet", "--remote", "backup")
        if tags_to:
            self._run(*GIT, "push", "--quiet", "--force", tags_to, "main", "--tags")

    def _run(self, *command: str) -> None:
        done = subprocess.run(  # noqa: S603 -- fixed programs; names of versions are our own
            command,
            cwd=self.models,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise PinningError(f"{_named(command)}: {_reason(done.stderr or done.stdout)}")

    def _environment(self) -> dict[str, str]:
        home = str(self.scratch)
        who = {"NAME": "trainer", "EMAIL": "trainer@marquee.invalid"}
        return {
            **os.environ,
            "HOME": home,
            "USER": "trainer",
            "XDG_CONFIG_HOME": home,
            "XDG_CACHE_HOME": home,
            "DVC_SITE_CACHE_DIR": f"{home}/dvc",
            "DVC_GLOBAL_CONFIG_DIR": f"{home}/dvc",
            "DVC_SYSTEM_CONFIG_DIR": f"{home}/dvc",
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_AUTHOR_{key}": value for key, value in who.items()},
            **{f"GIT_COMMITTER_{key}": value for key, value in who.items()},
        }


def _named(command: Sequence[str]) -> str:
    words = command[2:] if command[0] == sys.executable else command
    return " ".join(words[:2])


def _reason(output: str) -> str:
    lines = output.strip().splitlines()
    blamed = [line for line in lines if line.lower().startswith(("error", "fatal"))]
    return (blamed or lines or ["nothing was said"])[0]

"""Each version and the data it was trained on, pinned by DVC and git on the models volume.

    models/.git, models/.dvc           a repository of its own, and DVC's cache
    models/pins/<version>/model.dvc    the files of versions/<version>, which are hard links
    models/pins/<version>/data.dvc     the interactions that it was trained on

Each version is a commit and a tag `model/<version>`. Only who holds the training lock may
change any of it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.data.files import write_interactions
from trainer.data.interactions import Interactions
from trainer.errors import PinningError

GIT = ("git",)
DVC = (sys.executable, "-m", "dvc")
# Neither is told to be quiet: DVC would then be so about its reasons, too.
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
        self._unlock()
        if not self._is_made():
            self._make()
        self._run(*GIT, "reset", "--hard")
        self._run(*GIT, "clean", "-d", "--force", "-x", "pins")

    def _is_made(self) -> bool:
        """Whether it has its first commit.

        One that may have more is never made anew, which would empty DVC's cache.
        """
        git = self.models / ".git"
        committed = (git / "refs" / "heads" / "main").exists() or (git / "packed-refs").exists()
        return committed and (self.models / ".dvc" / "config").is_file()

    def _make(self) -> None:
        self.models.mkdir(parents=True, exist_ok=True)
        self._run(*GIT, "init", "--initial-branch", "main")
        self._run(*DVC, "init", "--force")
        (self.models / ".dvc" / "config").write_text(DVC_CONFIG)
        (self.models / ".gitignore").write_text("/search/\n/versions/\n")
        self._run(*GIT, "add", ".gitignore", ".dvc", ".dvcignore")
        self._run(*GIT, "commit", "--message", "Begin to pin versions")

    def pin(self, version: str, interactions: Interactions) -> None:
        """Pin a published version and its data; nothing is stored twice.

        Raises:
            PinningError: git or DVC would not; nothing was pinned.
        """
        place = self.models / "pins" / version
        shutil.copytree(self.models / "versions" / version, place / "model", copy_function=os.link)
        write_interactions(place / "data", interactions)
        self._run(*DVC, "add", f"pins/{version}/model", f"pins/{version}/data")
        self._run(*GIT, "add", f"pins/{version}")
        self._run(*GIT, "commit", "--message", version)
        self._run(*GIT, "tag", "--force", f"model/{version}")
        shutil.rmtree(place / "model")
        shutil.rmtree(place / "data")

    def data(self, version: str) -> Path:
        """Fetch the data of a version from DVC's cache: a directory of its files.

        Raises:
            PinningError: the version is not pinned, or its data is not in the cache.
        """
        self._unlock()
        self._run(*DVC, "checkout", f"pins/{version}/data.dvc")
        return self.models / "pins" / version / "data"

    def keep_only(self, versions: Collection[str]) -> None:
        """Pin all others no longer, and take what only they needed from the cache.

        Raises:
            PinningError: git or DVC would not.
        """
        pinned = sorted(path.name for path in (self.models / "pins").glob("*"))
        leaving = [name for name in pinned if name not in versions]
        if not leaving:
            return
        self._unlock()
        self._run(*GIT, "rm", "-r", *(f"pins/{name}" for name in leaving))
        self._run(*GIT, "commit", "--message", f"Let {' '.join(leaving)} go")
        self._run(*GIT, "tag", "--delete", *(f"model/{name}" for name in leaving))
        self._run(*DVC, "gc", "--workspace", "--force")

    def push(self, tags_to: str, cache_to: str) -> None:
        """Send tags to another git repository, and the cache to another DVC remote.

        Args:
            tags_to: path or URL of a git repository; empty for none.
            cache_to: path or URL of a DVC remote; empty for none.

        Raises:
            PinningError: one could not be reached.
        """
        if cache_to:
            self._run(*DVC, "remote", "add", "--local", "--force", "backup", cache_to)
            self._run(*DVC, "push", "--remote", "backup")
        if tags_to:
            self._run(*GIT, "push", "--force", tags_to, "main", "--tags")

    def _unlock(self) -> None:
        """Take away what says that DVC or git is at work: whoever is here holds the training lock.

        DVC reads who holds it from this file, and asks whether a process of that number
        runs: after a restart some other one may; and a file cut short it refuses for ever. Git
        keeps a file beside each of its own that it writes, and refuses while one is there.
        """
        (self.models / ".dvc" / "tmp" / "rwlock").unlink(missing_ok=True)
        for lock in (self.models / ".git").rglob("*.lock"):
            lock.unlink(missing_ok=True)

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
    return (blamed or lines[-1:] or ["nothing was said"])[0]

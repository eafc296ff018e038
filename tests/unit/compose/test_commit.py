"""Which commit a model version names, however this folder came here."""

import os
import shutil
import subprocess
import tarfile

import pytest

from tests.unit.compose.shell import CHECKOUT, bash

TOLD = f"source {CHECKOUT}/compose/up/say.sh; source {CHECKOUT}/compose/up/commit.sh; "


def git(folder, *arguments):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "safe.directory=*"]
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """One commit of what says which commit it is, as this repository has it."""
    folder = tmp_path / "repository"
    (folder / "compose/images").mkdir(parents=True)
    for name in (".gitattributes", "compose/images/commit.txt"):
        shutil.copy(CHECKOUT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "one")
    return folder


def test_a_clone_has_its_commit(repository):
    assert bash(f"{TOLD}commit", repository).stdout == git(repository, "rev-parse", "HEAD")


def test_a_clone_of_another_user_has_its_commit(repository):
    for path in (repository, *repository.rglob("*")):
        os.chown(path, 12345, 12345)
    assert bash("git rev-parse HEAD", repository).returncode != 0
    assert bash(f"{TOLD}commit", repository).stdout == git(repository, "rev-parse", "HEAD")


def test_a_worktree_has_its_commit(repository, tmp_path):
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "tree"))
    assert bash(f"{TOLD}commit", tmp_path / "tree").stdout == git(repository, "rev-parse", "HEAD")


def test_changed_files_are_told(repository):
    (repository / ".gitattributes").write_text("# changed\n")
    head = git(repository, "rev-parse", "HEAD")
    assert bash(f"{TOLD}commit", repository).stdout == f"{head}-dirty"


@pytest.mark.parametrize(("path", "told"), [("compose/new.py", "-dirty"), ("notes.txt", "")])
def test_a_new_file_is_told_where_images_take_it(repository, path, told):
    (repository / path).write_text("x = 1\n")
    head = git(repository, "rev-parse", "HEAD")
    assert bash(f"{TOLD}commit", repository).stdout == f"{head}{told}"


MODES = f"{TOLD}source {CHECKOUT}/compose/up/check_modes.sh; IN_IMAGES=(compose); check_modes"


def test_a_checkout_that_others_can_read_is_as_it_should_be(repository):
    assert bash(MODES, repository).returncode == 0


@pytest.mark.parametrize(
    ("path", "mode"), [("compose/images/commit.txt", 0o640), ("compose/images", 0o700)]
)
def test_a_checkout_that_services_could_not_read_is_refused(repository, path, mode):
    (repository / path).chmod(mode)
    done = bash(MODES, repository)
    assert done.returncode == 1
    assert f"{path} is not readable by others" in done.stderr
    assert "chmod -R go+rX compose" in done.stderr


def test_an_archive_that_git_made_has_its_commit(repository, tmp_path):
    git(repository, "archive", "--output", str(tmp_path / "a.tar"), "HEAD")
    with tarfile.open(tmp_path / "a.tar") as archive:
        archive.extractall(tmp_path / "a", filter="data")
    assert bash(f"{TOLD}commit", tmp_path / "a").stdout == git(repository, "rev-parse", "HEAD")


def test_a_folder_that_says_nothing_is_said_to(repository):
    shutil.rmtree(repository / ".git")
    done = bash(f"{TOLD}commit; check_commit", repository)
    assert done.stdout.startswith("unknown")
    assert "will name their code 'unknown'" in done.stdout

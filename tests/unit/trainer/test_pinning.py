import subprocess

import numpy as np
import pytest

from trainer.data.files import read_interactions
from trainer.errors import PinningError
from trainer.versions.pinning import Pins


@pytest.fixture
def pins(tmp_path):
    pins = Pins(tmp_path / "models", tmp_path / "scratch")
    pins.begin()
    return pins


def publish(pins, version):
    directory = pins.models / "versions" / version
    directory.mkdir(parents=True)
    np.save(directory / "popular.npy", np.arange(100))
    return directory


def tags(repository):
    told = subprocess.run(
        ["git", "-C", repository, "tag"], capture_output=True, text=True, check=True
    )
    return told.stdout.split()


def cached(pins):
    return [path for path in (pins.models / ".dvc" / "cache").rglob("*") if path.is_file()]


def test_a_version_is_tagged_and_stored_once(pins, interactions):
    version = publish(pins, "20250131-030000-ease")
    pins.pin(version.name, interactions)
    assert tags(pins.models) == ["model/20250131-030000-ease"]
    assert (version / "popular.npy").stat().st_ino in {path.stat().st_ino for path in cached(pins)}


def test_its_data_comes_back_as_it_was(pins, interactions):
    pins.pin(publish(pins, "20250131-030000-ease").name, interactions)
    pins.begin()
    assert read_interactions(pins.data("20250131-030000-ease")).hash() == interactions.hash()


def test_what_is_let_go_leaves_the_cache(pins, interactions):
    for name in ("a", "b"):
        pins.pin(publish(pins, name).name, interactions)
    before = len(cached(pins))
    pins.keep_only(["b", "never+pinned"])
    assert tags(pins.models) == ["model/b"]
    assert len(cached(pins)) <= before
    pins.data("b")
    with pytest.raises(PinningError):
        pins.data("a")


def test_what_could_not_be_let_go_once_is_let_go_the_next_time(pins, interactions):
    for name in ("a", "b"):
        pins.pin(publish(pins, name).name, interactions)
    changed = pins.models / "pins" / "a" / "data.dvc"
    text = changed.read_text()
    changed.write_text(f"{text}# git removes nothing that was changed\n")
    with pytest.raises(PinningError, match="git rm"):
        pins.keep_only(["b"])
    changed.write_text(text)
    pins.keep_only(["b"])
    assert tags(pins.models) == ["model/b"]


def test_what_a_killed_training_left_is_cleared_up(pins, interactions):
    (pins.models / "pins" / "half").mkdir(parents=True)
    (pins.models / "pins" / "half" / "data.dvc").write_text("outs:")
    (pins.models / ".git" / "index.lock").touch()
    pins.begin()
    assert not (pins.models / "pins" / "half").exists()
    pins.pin(publish(pins, "whole").name, interactions)


def test_no_lock_of_git_that_a_killed_training_left_holds_up_the_next(pins, interactions):
    locks = [
        pins.models / ".git" / f"{name}.lock"
        for name in ("index", "HEAD", "config", "refs/heads/main", "refs/tags/model/a")
    ]
    for lock in locks:
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.touch()
    pins.begin()
    pins.pin(publish(pins, "a").name, interactions)
    assert tags(pins.models) == ["model/a"]
    assert not [lock for lock in locks if lock.exists()]


def test_a_repository_that_was_half_made_is_made(pins, interactions):
    (pins.models / ".git" / "refs" / "heads" / "main").unlink()  # killed before the first commit
    (pins.models / ".dvc" / "config").write_text("")
    pins.begin()
    pins.pin(publish(pins, "a").name, interactions)
    assert "analytics = false" in (pins.models / ".dvc" / "config").read_text()


def test_tags_and_cache_are_pushed_to_a_second_place(pins, interactions, tmp_path):
    mirror = tmp_path / "mirror.git"
    subprocess.run(["git", "init", "--quiet", "--bare", mirror], check=True)
    pins.pin(publish(pins, "a").name, interactions)
    pins.push(str(mirror), str(tmp_path / "cache"))
    assert tags(mirror) == ["model/a"]
    assert any(path.is_file() for path in (tmp_path / "cache").rglob("*"))


def test_a_place_that_is_not_there_is_said(pins, interactions, tmp_path):
    pins.pin(publish(pins, "a").name, interactions)
    with pytest.raises(PinningError, match="git push"):
        pins.push(str(tmp_path / "nowhere.git"), "")


def leave_empty_lock(pins):
    """As a training does that is killed at a bad moment."""
    (pins.models / ".dvc" / "tmp").mkdir(exist_ok=True)
    (pins.models / ".dvc" / "tmp" / "rwlock").write_bytes(b"")


def test_an_empty_lock_file_of_dvc_holds_nothing_up(pins, interactions):
    leave_empty_lock(pins)
    pins.begin()
    pins.pin(publish(pins, "a").name, interactions)
    leave_empty_lock(pins)
    pins.data("a")
    leave_empty_lock(pins)
    pins.keep_only([])
    assert tags(pins.models) == []


def test_why_dvc_would_not_is_said(pins):
    with pytest.raises(PinningError, match=r"dvc checkout: .*never\+pinned"):
        pins.data("never+pinned")


def test_why_git_would_not_is_said(pins, interactions):
    (pins.models / ".git" / "index.lock").touch()
    with pytest.raises(PinningError, match=r"git add: .*index\.lock"):
        pins.pin(publish(pins, "a").name, interactions)


def test_why_nothing_was_committed_is_said(pins, interactions):
    version = publish(pins, "a").name
    pins.pin(version, interactions)
    with pytest.raises(PinningError, match="git commit: nothing to commit"):
        pins.pin(version, interactions)

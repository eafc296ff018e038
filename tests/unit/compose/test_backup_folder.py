"""A backup is whole or it is refused; which are kept, and what one says of itself."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from compose.backup.__main__ import cli
from compose.backup.errors import DamagedError, NewerError
from compose.backup.folder import (
    FILES,
    MANIFEST,
    SUMS,
    Manifest,
    begin,
    check,
    finish,
    finished,
    prune,
    read_manifest,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def manifest(**changes: object) -> Manifest:
    known = {
        "project": "marquee",
        "taken_at": NOON.isoformat(),
        "seconds": 1.5,
        "git_commit": "unknown",
        "revision": "0004",
        "live_version": None,
        "lines": 3,
    }
    return Manifest(**(known | changes))


def whole_backup(backups: Path, project: str = "marquee", at: datetime = NOON) -> Path:
    folder = begin(backups, project, at)
    for name in FILES:
        (folder / name).write_bytes(f"what {name} holds".encode())
    return finish(folder, manifest())


def test_a_whole_backup_passes_file_by_file(tmp_path):
    assert list(check(whole_backup(tmp_path))) == list(FILES)


def test_backups_of_one_second_stay_apart_and_in_order(tmp_path):
    taken = [whole_backup(tmp_path, at=NOON + timedelta(milliseconds=each)) for each in (0, 1, 999)]
    assert finished(tmp_path, "marquee") == taken
    assert len(set(taken)) == len(taken)


@pytest.mark.parametrize("name", FILES)
def test_a_cut_off_a_changed_and_a_missing_file_are_refused_by_name(tmp_path, name):
    folder = whole_backup(tmp_path)
    content = (folder / name).read_bytes()
    for damage in (content[:-1], b"X" + content[1:], b""):
        (folder / name).write_bytes(damage)
        with pytest.raises(DamagedError, match=f"{name} is not what was written"):
            list(check(folder))
    (folder / name).unlink()
    with pytest.raises(DamagedError, match=f"{name} is missing"):
        list(check(folder))


def test_a_backup_that_was_never_finished_is_refused(tmp_path):
    folder = begin(tmp_path, "marquee", NOON)
    with pytest.raises(DamagedError, match="no whole backup"):
        list(check(folder))


@pytest.mark.parametrize("length", range(0, 400, 37))
def test_checksums_that_were_cut_off_are_refused(tmp_path, length):
    folder = whole_backup(tmp_path)
    (folder / SUMS).write_bytes((folder / SUMS).read_bytes()[:length])
    with pytest.raises(DamagedError):
        list(check(folder))


def test_what_a_killed_backup_left_is_not_listed_and_gone_with_the_next(tmp_path):
    left = begin(tmp_path, "marquee", NOON)
    assert finished(tmp_path, "marquee") == []
    begin(tmp_path, "marquee", NOON + timedelta(days=1))
    assert not left.exists()


def test_what_another_stack_has_under_way_in_the_same_folder_is_left_alone(tmp_path):
    under_way = [begin(tmp_path, name, NOON) for name in ("marquee-2", "marquee-20260131-120000")]
    begin(tmp_path, "marquee", NOON)
    assert all(folder.is_dir() for folder in under_way)


def test_a_copy_that_was_cut_off_is_no_whole_backup(tmp_path):
    folder = whole_backup(tmp_path)
    cut_off = whole_backup(tmp_path, at=NOON + timedelta(days=1))
    (cut_off / SUMS).unlink()
    assert finished(tmp_path, "marquee") == [folder]


def test_a_backup_that_this_code_cannot_read_is_listed_with_its_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("BACKUPS", str(tmp_path))
    for name in ("HOST", "USER", "PASSFILE"):
        monkeypatch.setenv(f"DATABASE_{name}", "x")
    folder = whole_backup(tmp_path)
    newer = whole_backup(tmp_path, at=NOON + timedelta(days=1))
    (newer / MANIFEST).write_bytes(manifest(schema=2).text())
    told = CliRunner().invoke(cli, ["list"])
    assert [line.split()[0] for line in told.stdout.splitlines()] == [folder.name, newer.name]
    assert "has schema 2" in told.stdout


def test_the_newest_are_kept_and_anothers_are_left_alone(tmp_path):
    days = [NOON + timedelta(days=day) for day in range(4)]
    folders = [whole_backup(tmp_path, "marquee", day) for day in days]
    others = [whole_backup(tmp_path, name) for name in ("marquee-2", "other")]
    assert prune("marquee", folders[-1], keep=2) == [folder.name for folder in folders[:2]]
    assert finished(tmp_path, "marquee") == folders[2:]
    assert all(folder.is_dir() for folder in others)


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_what_was_just_taken_stays_though_a_clock_that_was_wrong_named_later_ones(tmp_path, keep):
    later = [whole_backup(tmp_path, at=NOON + timedelta(days=day)) for day in (3000, 3001, 3002)]
    taken = whole_backup(tmp_path)
    gone = prune("marquee", taken, keep)
    assert finished(tmp_path, "marquee") == [taken, *later[len(later) - keep + 1 :]]
    assert gone == [folder.name for folder in later[: len(later) - keep + 1]]


def test_only_its_owner_can_read_any_of_it(tmp_path):
    folder = whole_backup(tmp_path)
    assert folder.stat().st_mode & 0o077 == 0


def test_a_manifest_is_read_as_it_was_written():
    assert Manifest.parse(manifest().text()) == manifest()


def test_a_manifest_of_later_code_is_refused_as_such():
    with pytest.raises(NewerError, match="schema 2"):
        Manifest.parse(manifest(schema=2).text())


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"schema": 1}', b'{"schema": "one"}'])
def test_what_is_no_manifest_is_refused(text):
    with pytest.raises(DamagedError):
        Manifest.parse(text)


def test_a_backup_without_a_manifest_is_refused(tmp_path):
    folder = whole_backup(tmp_path)
    (folder / MANIFEST).unlink()
    with pytest.raises(DamagedError, match=f"{MANIFEST} is missing"):
        read_manifest(folder)


def test_a_check_tells_each_file_and_what_the_backup_is_of(tmp_path):
    folder = whole_backup(tmp_path)
    told = CliRunner().invoke(cli, ["check", str(folder)])
    assert told.exit_code == 0
    *files, of = told.stdout.splitlines()
    assert [line.split()[1:] for line in files] == [[name, "is", "whole"] for name in FILES]
    assert of.startswith("marquee at 2026-01-31T12:00:00+00:00: 3 lines")


def test_a_check_of_a_damaged_backup_tells_how_far_it_is_whole(tmp_path):
    folder = whole_backup(tmp_path)
    (folder / FILES[2]).unlink()
    told = CliRunner().invoke(cli, ["check", str(folder)])
    assert isinstance(told.exception, DamagedError)
    assert [line.split()[1] for line in told.stdout.splitlines()] == list(FILES[:2])

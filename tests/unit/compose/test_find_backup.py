"""Which folders `make restore` takes for a backup, before anything is built or changed."""

import shlex

from tests.unit.compose.shell import bash

SOURCES = """
source compose/up/say.sh; source compose/up/settings.sh; source compose/restore/find_backup.sh
"""


def whole_backup(folder):
    folder.mkdir(parents=True)
    for name in ("SHA256SUMS", "secrets.tar"):
        (folder / name).touch()
    return shlex.quote(str(folder))


def test_a_whole_one_is_taken_by_its_whole_path(tmp_path):
    folder = whole_backup(tmp_path / "my disk/20260101-000000")
    found = bash(f"{SOURCES}cd {folder}/..; FROM=20260101-000000; find_backup; echo $FROM")
    assert (found.stdout, found.stderr) == (f"{tmp_path}/my disk/20260101-000000\n", "")


def test_a_colon_which_the_engine_would_take_for_an_end_is_refused_by_one_line(tmp_path):
    folder = whole_backup(tmp_path / "at 02:00")
    found = bash(f"{SOURCES}FROM={folder}; find_backup")
    assert found.returncode == 1
    assert found.stderr == (
        f"make: FROM is {folder}; allowed is a folder by its whole path,"
        " such as /var/backups/marquee, without a colon\n"
    )


def test_a_folder_without_sums_is_no_whole_one(tmp_path):
    found = bash(f"{SOURCES}FROM={tmp_path}; find_backup")
    assert found.returncode == 1
    assert f"{tmp_path} is no whole backup" in found.stderr

"""What a start looks at before it changes anything: the machine, and a restore that was cut off."""

import pytest

from tests.unit.compose.shell import bash

SOURCES = "source compose/up/say.sh; source compose/up/check_host.sh; source compose/up/backups.sh"


def free(gib: int) -> str:
    """A `df` whose disk has so much left."""
    return f"df() {{ printf 'Avail\\n%sG\\n' {gib}; }}"


def test_on_linux_on_x86_64_a_start_goes_on():
    found = bash(
        f"{SOURCES}; uname() {{ [ $1 = -s ] && echo Linux || echo x86_64; }}; check_platform"
    )
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "x86_64"), ("Linux", "aarch64")])
def test_another_machine_is_named(system, machine):
    stub = f"uname() {{ [ $1 = -s ] && echo {system} || echo {machine}; }}"
    found = bash(f"{SOURCES}; {stub}; check_platform")
    assert found.returncode == 1
    assert f"this is {system} on {machine}" in found.stderr
    assert "Linux, x86_64" in found.stderr


@pytest.mark.parametrize("gib", [8, 500])
def test_with_enough_room_a_start_goes_on(gib):
    found = bash(f"{SOURCES}; {free(gib)}; check_disk")
    assert (found.returncode, found.stderr) == (0, "")


def test_a_disk_with_too_little_room_is_told_how_much_it_lacks():
    found = bash(f"{SOURCES}; {free(7)}; check_disk")
    assert found.returncode == 1
    assert "7 GiB free, 8 GiB are needed" in found.stderr


def test_after_a_restore_that_was_cut_off_nothing_is_started_but_it_is_named(tmp_path):
    (tmp_path / "env.restoring").write_text("/backups/20260101-000000")
    found = bash(f"{SOURCES}; check_restored", environment={"ENV_FILE": f"{tmp_path}/env"})
    assert found.returncode == 1
    assert found.stderr.endswith("make restore FROM=/backups/20260101-000000\n")
    assert "make down DATA=gone" in found.stderr


def test_the_folder_of_that_restore_is_one_word_of_the_command(tmp_path):
    (tmp_path / "env.restoring").write_text("/my disk/20260101-000000")
    found = bash(f"{SOURCES}; check_restored", environment={"ENV_FILE": f"{tmp_path}/env"})
    assert found.stderr.endswith("make restore FROM=/my\\ disk/20260101-000000\n")


def test_without_one_a_start_goes_on(tmp_path):
    found = bash(f"{SOURCES}; check_restored", environment={"ENV_FILE": f"{tmp_path}/env"})
    assert (found.returncode, found.stderr) == (0, "")

"""What a start looks at before it changes anything: the machine, and a restore that was cut off."""

import pytest

from tests.unit.compose.shell import bash

SOURCES = """
source compose/up/say.sh; source compose/up/check_host.sh; source compose/up/backups.sh
source compose/up/build_images.sh
COMPOSE_PROJECT_NAME=town"""
NO_ENGINE = "docker() { false; }"


def free(mib: int) -> str:
    """A `df` whose disks have so much left."""
    return f"df() {{ printf 'Avail\\n%sM\\n' {mib}; }}"


def engine(folder: str, volumes: str) -> str:
    """One that has its data in this folder, and these volumes."""
    return f"""docker() {{
      case "$1 $2" in
        "info "*) echo {folder} ;;
        "volume inspect") [[ " {volumes} " == *" $3 "* ]] ;;
      esac
    }}"""


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


FIRST = {"no engine yet": NO_ENGINE, "another stack": engine("/", "marquee_state")}
LATER = engine("/", "marquee_state town_state")


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("gib", [8, 500])
def test_with_enough_room_a_first_start_goes_on(gib, first):
    found = bash(f"{SOURCES}; {free(gib * 1024)}; {FIRST[first]}; check_disk")
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize("first", FIRST)
def test_a_disk_with_too_little_room_is_told_how_much_it_lacks(first):
    found = bash(f"{SOURCES}; {free(8 * 1024 - 1)}; {FIRST[first]}; check_disk")
    assert found.returncode == 1
    assert "7 GiB free, 8 GiB are needed" in found.stderr


def test_a_stack_that_is_there_starts_with_what_is_left_for_it_to_free_more():
    """Given to `make up`, DISK_BUDGET_GIB and TIME_TO_LIVE are the way out of a full disk."""
    found = bash(f"{SOURCES}; {free(1024)}; {LATER}; check_disk")
    assert (found.returncode, found.stderr) == (0, "")


def test_with_nothing_left_it_does_not():
    found = bash(f"{SOURCES}; {free(1023)}; {LATER}; check_disk")
    assert found.returncode == 1
    assert "0 GiB free, 1 GiB are needed" in found.stderr


def test_a_stack_is_there_too_while_its_engine_stands_still(tmp_path):
    (tmp_path / "volumes/town_state").mkdir(parents=True)
    found = f"engine_folder() {{ echo {tmp_path}; }}"
    done = bash(f"{SOURCES}; {free(1024)}; {NO_ENGINE}; {found}; check_disk")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_disk_is_the_one_that_the_engine_has_its_data_on(tmp_path):
    asked = "df() { printf 'Avail\\n0M\\n'; echo ${!#} >&2; }"
    found = bash(f"{SOURCES}; {asked}; {engine(str(tmp_path), '')}; check_disk")
    assert found.stderr.startswith(f"{tmp_path}\nmake: {tmp_path} has 0 GiB free")


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

"""Before `make up` migrates a database that runs, a backup is taken, and the way back is said."""

import pytest

from tests.unit.compose.shell import bash

TAKEN = "05:00:01 state.tar: 0.1 MiB in 0.0 s\\n05:00:02 marquee-20260131-020000: 1.2 MiB, whole"
ENGINE = f"""
source compose/up/say.sh; source compose/up/check_database.sh; source compose/up/way_back.sh
THERE="backup nginx" COMMIT=0123abc-dirty TAKES=0 FOLDER=/mnt/backups
newest_revision() {{ echo 0017; }}
docker() {{
  case "$*" in
    *alembic_version*) echo "$REVISION" ;;
    *"ps --all"*) printf '%s\\n' $THERE ;;
    *take*) printf '{TAKEN}\\n'; return "$TAKES" ;;
    *printenv*) echo "$COMMIT" ;;
    *inspect*) echo "$FOLDER" ;;
    *) echo a-container ;;
  esac
}}
"""
GO = "back_up_before_migration; say_way_back"


def test_a_backup_is_taken_and_the_way_back_is_a_command_to_type():
    done = bash(f"{ENGINE} REVISION=0016; {GO}")
    assert done.returncode == 0, done.stderr
    assert "from revision 0016 to 0017" in done.stdout
    assert "marquee-20260131-020000: 1.2 MiB, whole" in done.stdout
    back = "git checkout 0123abc && make restore FROM=/mnt/backups/marquee-20260131-020000"
    assert done.stdout.splitlines()[-1].endswith(f"of before: {back}")


def test_the_way_back_is_said_before_anything_is_migrated_too():
    """What comes then may fail, and the next start has nothing to migrate."""
    done = bash(f"{ENGINE} REVISION=0016; back_up_before_migration; fail 'no service started'")
    assert done.returncode == 1
    back = "git checkout 0123abc && make restore FROM=/mnt/backups/marquee-20260131-020000"
    assert done.stdout.splitlines()[-1].endswith(f"of before: {back}")


def test_a_folder_with_a_space_is_one_word_of_the_way_back():
    done = bash(f"{ENGINE} REVISION=0016 FOLDER='/mnt/my disk'; {GO}")
    back = done.stdout.splitlines()[-1].partition(" && ")[2]
    typed = bash(f"make() {{ printf '%s\\n' \"$@\"; }}; {back}")
    assert typed.stdout == "restore\nFROM=/mnt/my disk/marquee-20260131-020000\n"


@pytest.mark.parametrize("revision", ["0017", ""])
def test_where_nothing_is_brought_forward_none_is_taken(revision):
    """The newest revision already, or a database that does not run."""
    done = bash(f"{ENGINE} REVISION={revision}; {GO}")
    assert (done.returncode, done.stdout) == (0, "")


def test_a_backup_that_fails_ends_the_upgrade():
    done = bash(f"{ENGINE} REVISION=0016 TAKES=1; {GO}; echo went on")
    assert done.returncode == 1
    assert "went on" not in done.stdout
    assert "make up BACKUP=skip" in done.stderr


@pytest.mark.parametrize(
    ("given", "said"), [("BACKUP=skip", "0017"), ("THERE=nginx", "takes no backups")]
)
def test_who_has_none_goes_on_without_and_no_way_is_promised(given, said):
    done = bash(f"{ENGINE} REVISION=0016 {given}; {GO}; echo went on")
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert "way back to" not in done.stdout
    assert done.stdout.endswith("went on\n")


def test_the_newest_revision_is_the_newest_migrations():
    done = bash("source compose/up/check_database.sh; newest_revision")
    assert bash(f"ls compose/migrate/versions/{done.stdout}_*.py").returncode == 0
    assert bash(f"ls compose/migrate/versions/{int(done.stdout) + 1:04}_*.py").returncode != 0

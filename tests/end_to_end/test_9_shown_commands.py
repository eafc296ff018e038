"""What the READMEs show is typed as it stands there, and does what they say."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.shell import ENDED, typed
from tests.shown_commands import CHECKOUT, typed_as_they_stand


def output(done) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_list_is_asked_for():
    for said in (
        output(typed("curl http://127.0.0.1:8082/recommend/42")),
        output(typed("curl localhost:8082/recommend/42")),
    ):
        assert len(said.strip().splitlines()[-1].split(",")) == 20


def test_an_answer_is_asked_for_in_full():
    said = output(typed("curl -H 'Accept: application/json' 'localhost:8082/recommend/42?n=3'"))
    assert len(json.loads(said[said.index("{") :])["movies"]) == 3


def test_status_and_logs_are_looked_at():
    assert "ingest" in typed("make status").stdout  # it fails where something is not well
    followed = typed("make logs SERVICE=ingest", seconds=10)
    assert "ingest" in followed.stdout


def test_what_builds_left_behind_is_looked_at():
    assert "Nothing was deleted" in output(typed("make prune"))


def test_the_data_is_looked_at_read_only():
    said = output(typed("make psql", given="CREATE TABLE mine (id int);\nSELECT 6 * 7;\n\\q\n"))
    assert "permission denied" in said or "read-only transaction" in said
    assert "42" in said


def test_what_is_live_and_why_is_asked_for():
    assert "live_version" in output(
        typed(
            "SELECT live_version, live_slot, version, share, reason"
            " FROM live_at('2026-01-31 14:03Z');"
        )
    )
    assert "promote" not in output(
        typed(
            "SELECT at, action, version, reason FROM deployment"
            " WHERE step IN ('promote', 'abort') ORDER BY step_id;"
        )
    ).replace("'promote'", "")


def test_how_good_versions_are_and_what_is_live_is_looked_at():
    assert "version" in output(typed("SELECT * FROM version_quality;"))
    assert "live" in output(typed("SELECT * FROM live_now;"))


def test_a_version_is_tried_on_people_with_another_share_too_and_that_is_ended(stack):
    ((live,),) = stack.sql("SELECT live_version FROM live_now")
    output(typed("make experiment CHALLENGER=VERSION", {"VERSION": live}))
    output(
        typed(
            "make experiment CHALLENGER=20260131-030000-ease SHARE=300",
            {"20260131-030000-ease": live},
        )
    )
    assert "300" in output(typed("make experiments"))
    output(typed("make experiment-stop"))
    assert stack.sql("SELECT ended_at IS NULL FROM experiment_verdict LIMIT 1") == [(False,)]


def test_experiments_and_what_happened_are_looked_at():
    output(typed("SELECT * FROM experiment_verdict;"))
    output(
        typed(
            "SELECT looked_at, low, value, high FROM experiment_look"
            " WHERE metric = 'people_watching' ORDER BY looked_at;"
        )
    )
    output(typed("make story SINCE='1 day'"))
    assert ", 0 problems" in output(typed("make certificates"))


def test_passwords_are_shown_and_changed():
    before = output(typed("make password NAME=analyst"))
    assert before.strip()
    output(typed("make rotate NAME=ingest"))
    assert output(typed("make password NAME=jenkins")).strip()


def test_a_backup_is_listed_and_checked(stack):
    taken = stack.make("backup")
    name = taken.stdout.splitlines()[-1].split()[1].rstrip(":")
    try:
        assert name in output(typed("docker compose exec backup python -m compose.backup list"))
        output(
            typed(
                "docker compose exec backup python -m compose.backup check"
                " /var/backups/marquee/NAME",
                {"NAME": name},
            )
        )
    finally:
        stack.compose("exec", "-T", "backup", "rm", "-r", f"/var/backups/marquee/{name}")


def test_addresses_are_set(stack, tmp_path: Path):
    file = tmp_path / "address"
    file.write_text(stack.secret("slack"))
    output(
        typed(
            "docker compose run --rm -T secrets set slack < file-with-the-webhook-url",
            {"file-with-the-webhook-url": str(file)},
        )
    )
    file.write_text(stack.secret("watchdog"))
    output(
        typed(
            "docker compose run --rm -T secrets set watchdog < file-with-its-url",
            {"file-with-its-url": str(file)},
        )
    )


def test_a_secret_is_set_by_whatever_file_holds_it(stack, tmp_path: Path):
    file = tmp_path / "address"
    file.write_text(stack.secret("slack"))
    place = {"FILE": str(file)}
    output(typed("docker compose run --rm -T secrets set slack < FILE", place))
    place = {"< file": f"< {file}"}
    output(typed("docker compose run --rm -T secrets set slack < file", place))
    file.write_text("a password that no broker here asks for")
    place = {"password-file": str(file)}
    output(typed("docker compose run --rm -T secrets set kafka < password-file", place))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """This checkout as a repository of one commit: the image of the tests has no history."""
    folder = tmp_path / "origin"
    shutil.copytree(CHECKOUT, folder, ignore=shutil.ignore_patterns("build", ".env", ".git"))
    author = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    for command in (("init",), ("add", "."), (*author, "commit", "--message=one")):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    return folder


def test_a_checkout_is_cloned_looked_at_and_brought_up_to_date(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_PAGER", "cat")
    place = {"<this repository>": str(repository)}
    output(typed("git clone <this repository> marquee && cd marquee", place, folder=tmp_path))
    clone = tmp_path / "marquee"
    assert "make up" in output(typed("make help", folder=clone))
    assert "Already up to date" in output(typed("git pull", folder=clone))
    commit = {"the-commit-it-names": "HEAD"}
    assert "one" in output(typed("git show the-commit-it-names", commit, folder=clone))


def test_a_release_is_described_before_it_is_begun():
    said = output(typed("make release PLAN=1"))
    assert "release of" in said or "is live already" in said


@pytest.mark.parametrize("command", sorted(typed_as_they_stand()))
def test_a_command_in_a_sentence_runs_as_it_stands(command):
    goes_on_by_itself = command == "docker stats"
    done = typed(command, seconds=5 if goes_on_by_itself else 300)

    found_nothing = 1 if "| grep" in command else 0
    expected = {ENDED} if goes_on_by_itself else {0, found_nothing}
    assert done.returncode in expected, done.stdout + done.stderr
    assert "ERROR:" not in done.stdout or not command.startswith("SELECT"), done.stdout

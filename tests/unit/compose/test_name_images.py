"""Names of images by what they were built from, what of them is pushed, and what is recorded."""

import subprocess

import pytest

from tests.unit.compose.shell import CHECKOUT, bash

DIGEST = "sha256:" + "d" * 64
NAMED = f"""
source {CHECKOUT}/compose/up/say.sh; source {CHECKOUT}/compose/up/commit.sh
source {CHECKOUT}/compose/up/build_images.sh; source {CHECKOUT}/compose/up/name_images.sh
IMAGE_PREFIX=town IMAGE_REGISTRY=${{REGISTRY-}}
timeout() {{ "${{@:3}}"; }}
docker() {{
  case "$1 $2" in
    "compose config")
      printf '%s\\n' town/nginx town/recommender:blue town/recommender:green elsewhere/x ;;
    "image inspect") echo sha256:1 ;;
    push*) echo "1a2b: Pushed"; [ -z "${{REFUSED-}}" ] && echo "tag: digest: {DIGEST} size: 1234" ;;
    *) echo "engine: $*" >&2 ;;
  esac
}}
"""
IMAGES = "town/nginx town/recommender"


def git(folder, *arguments):
    git_as = ("git", "-c", "user.name=x", "-c", "user.email=x@example.org")
    done = subprocess.run(
        [*git_as, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    """A commit of nothing but what pins dependencies."""
    folders = [f"{part}/requirements.txt" for part in ("ci", "ingest", "monitoring")]
    folders += ["recommender/requirements.txt", "trainer/requirements.txt"]
    folders += ["compose/simulator/requirements.txt", "compose/images/uv.txt"]
    for name in [*folders, "compose/images/kafka/jars.sha256"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one==1\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=one")
    return tmp_path


def ran(checkout, script, **environment):
    return bash(f"{NAMED}{script}", checkout, environment)


def tag(checkout):
    done = ran(checkout, "content_tag")
    assert done.returncode == 0, done.stderr
    return done.stdout


def record(checkout):
    return (checkout / "build/images.txt").read_text()


def test_a_tag_is_of_the_commit_and_the_lock(checkout):
    before, commit = tag(checkout), git(checkout, "rev-parse", "HEAD")
    assert before.split("-")[0] == commit[:12]
    git(checkout, "commit", "--quiet", "--allow-empty", "--message=two")
    assert tag(checkout).split("-")[0] != before.split("-")[0]
    assert tag(checkout).split("-")[1] == before.split("-")[1]


def test_what_was_not_committed_is_told_from_the_commit(checkout):
    before = tag(checkout)
    (checkout / "ingest/requirements.txt").write_text("one==2\n")
    commit, dirty, lock = tag(checkout).split("-")
    assert dirty == "dirty"
    assert commit == before.split("-")[0]
    assert lock != before.split("-")[1]


def test_each_image_is_named_and_the_slots_share_one(checkout):
    done = ran(checkout, "name_by_content")
    assert done.stderr.splitlines() == [
        f"engine: tag town/nginx:latest town/nginx:{tag(checkout)}",
        f"engine: tag town/recommender:candidate town/recommender:{tag(checkout)}",
    ]


def test_without_a_registry_nothing_is_pushed_and_the_images_are_recorded(checkout):
    done = ran(checkout, f"publish_images {IMAGES}")
    assert done.returncode == 0, done.stderr
    assert "Pushing" not in done.stderr
    assert record(checkout) == "".join(
        f"{name}:{tag(checkout)} sha256:1 -\n" for name in IMAGES.split()
    )


def test_what_is_pushed_is_recorded_by_its_digest_and_found_there(checkout):
    script = f"publish_images {IMAGES}; recorded_reference town/recommender"
    done = ran(checkout, script, REGISTRY="127.0.0.1:5000")
    assert done.returncode == 0, done.stderr
    reference = f"127.0.0.1:5000/town/recommender@{DIGEST}"
    assert record(checkout).splitlines()[1].split()[2] == reference
    assert done.stdout.splitlines()[-1] == reference


def test_what_is_no_commit_is_not_pushed_and_that_is_said(checkout):
    (checkout / "compose/images/uv.txt").write_text("two\n")
    done = ran(checkout, f"publish_images {IMAGES}", REGISTRY="127.0.0.1:5000")
    assert done.returncode == 0, done.stderr
    assert "Nothing is pushed" in done.stdout
    assert record(checkout).split()[2::3] == ["-", "-"]


def test_a_push_that_fails_is_said_and_leaves_the_record_as_it_was(checkout):
    ran(checkout, f"publish_images {IMAGES}")
    before = record(checkout)
    environment = {"REGISTRY": "127.0.0.1:5000", "REFUSED": "yes"}
    done = ran(checkout, f"publish_images {IMAGES}", **environment)
    assert done.returncode == 1
    assert "could not be pushed" in done.stderr
    assert record(checkout) == before


def test_a_push_that_takes_too_long_says_so(checkout):
    engine = checkout / "bin/docker"
    engine.parent.mkdir()
    engine.write_text("#!/bin/sh\necho '1a2b: Waiting'\nexec sleep 60\n")
    engine.chmod(0o755)
    script = "unset -f docker timeout; PATH=$PWD/bin:$PATH; PUSH_SECONDS=1; pushed town/nginx"
    done = ran(checkout, script)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "1a2b: Waiting",
        "make: the push had not ended after 1 s and was given up",
    ]


def test_the_lock_is_all_that_pins(checkout):
    """A file of pins that is not among them would change no name."""
    pins = {
        str(path.relative_to(CHECKOUT))
        for path in CHECKOUT.rglob("requirements.txt")
        if "build" not in path.parts
    } - {"tests/requirements.txt"}
    told = bash(f"{NAMED} printf '%s\\n' \"${{LOCKS[@]}}\"", checkout).stdout.split()
    assert pins <= set(told)
    assert all((CHECKOUT / name).is_file() for name in told)

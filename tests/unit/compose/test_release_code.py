"""Which image a release of code takes, what it recreates when, and what it refuses before."""

import pytest

from tests.unit.compose.shell import bash

DIGEST = "sha256:" + "d" * 64
ELSEWHERE = f"127.0.0.1:5000/town/recommender@{DIGEST}"
ENGINE = """#!/bin/bash
docker() {
  case "$1 $2" in
    "image inspect") [[ "$*" != *RepoTags* ]] || { printf '%s\\n' "$NAMES"; return; }
      [[ " ${HERE-} " == *" ${@: -1} "* ]] || return 1
      echo "id of $(tagged "${@: -1}")" ;;
    "inspect --format") echo "id of ${RUNS-}" ;;
    "compose ps") echo container ;;
    "compose exec") [[ "$*" != *readyz* ]] || { [ "${@: -1}" = "${LOADS-${@: -1}}" ]; return; }
      asked "$@" ;;
    "compose up") echo "recreated ${@: -1}" >> "$DONE"; [[ " ${BROKEN-} " != *" ${@: -1} "* ]] ;;
    pull*) echo "no such manifest" >&2; [ -n "${REGISTRY-}" ] ;;
    *) echo "$*" >> "$DONE" ;;
  esac
}
tagged() {
  if [ "$1" = "${NEW-}" ]; then echo "$CANDIDATE"; return; fi
  local image
  image=$(awk -v to="$1" '
    $1 == "tag" && $NF == to { sub(/^tag /, ""); sub(" " to "$", ""); last = $0 }
    END { print last }' "$DONE" 2> /dev/null)
  echo "${image:-$1}"
}
asked() {
  case "$*" in
    *" code begin "*) begun=${BEGUN-7 green 20260101-000000-ease}
      [ "$begun" != refused ] || return 1; echo "$begun" ;;
    *" code follow "*) echo followed >> "$DONE"; return "${VERDICT-0}" ;;
    *" code record "*"--outcome ${FORGETS-nothing}"*) echo asked >> "$DONE.asked"
      [ "$(wc -l < "$DONE.asked")" -ge "${UNTIL-9}" ] || return 1
      echo "recorded ${*:9}" >> "$DONE" ;;
    *" code record "*) echo "recorded ${*:9}" >> "$DONE" ;;
    *" code newest"*) echo "${NEWEST-12 green code release}" ;;
    *" code "*) echo "asked ${*:9}" >> "$DONE" ;;
    *" ci rollback"*) return "${ROLLED_BACK-0}" ;;
  esac
}
docker "$@"
"""
SLOTS = "town/recommender:blue town/recommender:green"
CANDIDATE = "town/recommender:candidate"
BY_CONTENT = "town/recommender:0123456789ab-0123456789ab"


def run(script, tmp_path, here="", **given):
    environment = {
        "MARQUEE_ENV_FILE": str(tmp_path / "env"),
        "COMPOSE_PROJECT_NAME": "release-code-test",
        "IMAGE_PREFIX": "town",
        "HERE": f"{SLOTS} {here}",
        "NAMES": "",
        "CANDIDATE": CANDIDATE,
        "DONE": str(tmp_path / "done"),
        **given,
    }
    engine = tmp_path / "bin/docker"
    engine.parent.mkdir(exist_ok=True)
    engine.write_text(ENGINE)
    engine.chmod(0o755)
    pause = tmp_path / "bin/sleep"
    pause.write_text("#!/bin/bash\n")
    pause.chmod(0o755)
    environment["PATH"] = f"{engine.parent}:/usr/local/bin:/usr/bin:/bin"
    return bash(script, environment=environment)


def release(tmp_path, here="", **given):
    return run("compose/release_code.sh", tmp_path, here, **given)


def done(tmp_path):
    file = tmp_path / "done"
    return file.read_text().splitlines() if file.exists() else []


def given(slot, image=CANDIDATE, before=None):
    """What is done to give a slot an image."""
    return [
        f"tag town/recommender:{before or slot} town/recommender:before-{slot}",
        f"tag {image} town/recommender:{slot}",
        f"recreated recommender-{slot}",
    ]


def tried(slot):
    """What is done to the slot without traffic; what people have is what it would go back to."""
    other = "blue" if slot == "green" else "green"
    return [recorded(slot, "given"), *given(slot, before=other)]


def taken_back(slot):
    """What is done to give a slot its previous image back."""
    return [
        f"tag town/recommender:before-{slot} town/recommender:{slot}",
        f"recreated recommender-{slot}",
        recorded(slot, "taken back"),
    ]


def recorded(slot, outcome, known_as=CANDIDATE, job=" --job 7"):
    return f"recorded record {slot} {known_as} id of {CANDIDATE} --outcome {outcome}{job}"


def test_what_was_built_last_is_tried_in_one_slot_and_then_given_to_the_other(tmp_path):
    ended = release(tmp_path, CANDIDATE)
    assert ended.returncode == 0, ended.stderr
    assert done(tmp_path) == [
        *tried("green"),
        recorded("green", "placed"),
        "followed",
        *given("blue"),
        recorded("blue", "released"),
    ]


def test_what_the_releaser_gives_up_is_taken_back_and_the_other_slot_left_alone(tmp_path):
    ended = release(tmp_path, CANDIDATE, VERDICT="3")
    assert ended.returncode == 1
    assert "the new image was given up" in ended.stderr
    assert done(tmp_path) == [
        *tried("green"),
        recorded("green", "placed"),
        "followed",
        *taken_back("green"),
    ]


def test_a_slot_that_does_not_get_up_has_its_image_back_and_says_so_to_the_releaser(tmp_path):
    ended = release(tmp_path, CANDIDATE, BROKEN="recommender-green")
    assert ended.returncode == 1
    assert "slot green did not get up with the new image" in ended.stderr
    assert done(tmp_path) == [*tried("green"), *taken_back("green")]


def test_where_the_second_slot_does_not_get_up_that_is_said(tmp_path):
    ended = release(tmp_path, CANDIDATE, BROKEN="recommender-blue")
    assert ended.returncode == 1
    assert "the other one is live with it" in ended.stderr
    assert done(tmp_path)[-3:] == taken_back("blue")


def test_what_the_releaser_refuses_changes_nothing(tmp_path):
    ended = release(tmp_path, CANDIDATE, BEGUN="refused")
    assert ended.returncode == 1
    assert "was not begun" in ended.stderr
    assert done(tmp_path) == []


def test_where_nothing_is_live_both_slots_get_it_while_the_releaser_holds_the_queue(tmp_path):
    ended = release(tmp_path, CANDIDATE, BEGUN="7 both")
    assert ended.returncode == 0, ended.stderr
    assert done(tmp_path) == [
        line
        for slot in ("green", "blue")
        for line in (
            recorded(slot, "given"),
            *given(slot, before="blue"),
            recorded(slot, "released"),
        )
    ]


def test_what_both_slots_run_is_not_released_again(tmp_path):
    ended = release(tmp_path, CANDIDATE, RUNS=CANDIDATE)
    assert ended.returncode == 0, ended.stderr
    assert f"Both slots run {CANDIDATE} already" in ended.stdout
    assert done(tmp_path) == [
        *(f"tag {CANDIDATE} town/recommender:{slot}" for slot in ("blue", "green")),
        f"asked settle {CANDIDATE} id of {CANDIDATE}",
    ]


def test_the_plan_says_that_nothing_would_be_changed_where_both_run_it(tmp_path):
    ended = release(tmp_path, CANDIDATE, RUNS=CANDIDATE, PLAN="1")
    assert "nothing would be changed" in ended.stdout, ended.stderr
    assert done(tmp_path) == []


def test_nothing_is_recreated_that_nobody_would_know_of(tmp_path):
    ended = release(tmp_path, CANDIDATE, FORGETS="given")
    assert ended.returncode == 1
    assert "so it does not get it" in ended.stderr
    assert done(tmp_path) == []


def test_what_is_not_known_to_be_recorded_is_told_again(tmp_path):
    ended = release(tmp_path, CANDIDATE, FORGETS="placed", UNTIL="3")
    assert ended.returncode == 0, ended.stderr
    assert recorded("green", "placed") in done(tmp_path)


def test_a_slot_that_does_not_load_what_a_rollback_returns_to_is_not_ready(tmp_path):
    ended = release(tmp_path, CANDIDATE, LOADS="20250101-000000-ease")
    assert ended.returncode == 1
    assert "slot blue did not get ready with the new image" in ended.stderr
    assert done(tmp_path)[-3:] == taken_back("blue")


def test_a_releaser_of_other_code_is_not_misunderstood(tmp_path):
    for begun in ("none", "7 green"):
        ended = release(tmp_path, CANDIDATE, BEGUN=begun)
        assert ended.returncode == 1
        assert f"the releaser says '{begun}', which this clone does not understand" in ended.stderr
    assert done(tmp_path) == []


def test_the_other_slot_got_it_first_and_the_slots_own_is_kept(tmp_path):
    release(tmp_path, CANDIDATE, NEW="town/recommender:blue")
    assert f"tag {SLOTS.split()[1]} {BEFORE}" in done(tmp_path)
    assert "town/recommender:before-blue" not in " ".join(done(tmp_path)[:4])


def test_a_plan_changes_nothing(tmp_path):
    ended = release(tmp_path, CANDIDATE, PLAN="1", OVERLAP="0.5")
    assert ended.returncode == 0, ended.stderr
    assert done(tmp_path) == [f"asked plan {CANDIDATE} --overlap 0.5"]


def test_an_image_of_a_registry_is_pulled_by_its_digest(tmp_path):
    ended = release(tmp_path, CANDIDATE, IMAGE=ELSEWHERE, REGISTRY="yes")
    assert f"Asking the registry for {ELSEWHERE}" in ended.stdout, ended.stderr
    assert f"tag {ELSEWHERE} town/recommender:green" in done(tmp_path)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({}, "there is no image town/recommender:candidate here"),
        (
            {"IMAGE": "127.0.0.1:5000/town/recommender:new"},
            "From a registry one comes by its digest",
        ),
        ({"IMAGE": ELSEWHERE}, "cannot be had: no such manifest"),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_is_changed(tmp_path, named, told):
    ended = release(tmp_path, **named)
    assert ended.returncode == 1
    assert told in ended.stderr
    assert done(tmp_path) == []


def test_what_each_slot_got_is_recorded_by_what_it_was_built_from(tmp_path):
    release(tmp_path, CANDIDATE, NAMES=f"{CANDIDATE}\n{BY_CONTENT}")
    assert [line for line in done(tmp_path) if line.startswith("recorded")] == [
        recorded("green", "given", BY_CONTENT),
        recorded("green", "placed", BY_CONTENT),
        recorded("blue", "released", BY_CONTENT),
    ]


BEFORE = "town/recommender:before-green"


def test_a_rollback_of_a_model_takes_no_engine(tmp_path):
    for status in ("0", "1"):
        ended = run("compose/rollback.sh", tmp_path, ROLLED_BACK=status)
        assert ended.returncode == int(status)
    assert done(tmp_path) == []


def test_a_rollback_of_code_gives_both_slots_the_image_before(tmp_path):
    here = f"{BEFORE} {'id of ' + BEFORE}"
    ended = run("compose/rollback.sh", tmp_path, here, ROLLED_BACK="4")
    assert ended.returncode == 0, ended.stderr
    assert [line for line in done(tmp_path) if not line.startswith("recorded")] == [
        *given("green", f"id of {BEFORE}", before="blue"),
        "followed",
        *given("blue", f"id of {BEFORE}"),
    ]


def test_a_rollback_without_the_image_before_says_so(tmp_path):
    ended = run("compose/rollback.sh", tmp_path, ROLLED_BACK="4")
    assert ended.returncode == 1
    assert "the image before is not here" in ended.stderr
    assert done(tmp_path) == []


def test_a_rollback_of_code_that_somebody_brought_back_meanwhile_changes_nothing(tmp_path):
    here = f"{BEFORE} {'id of ' + BEFORE}"
    ended = run(
        "compose/rollback.sh", tmp_path, here, ROLLED_BACK="4", NEWEST="13 green code rollback"
    )
    assert "nothing was changed" in ended.stdout
    assert done(tmp_path) == []

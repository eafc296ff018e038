"""The scorecard of faults on a running stack: what is refused, what counts, what is written."""

import json

import pytest

from tests.unit.compose.shell import bash

SOURCES = (
    "source compose/up/say.sh; source compose/up/commit.sh; source compose/up/ask_nginx.sh;"
    " source compose/drill/asking.sh; source compose/drill/faults.sh;"
    " source compose/drill/report.sh"
)


def stack_of(*states):
    """A `docker` that tells only which services there are and how they are."""
    return f"docker() {{ printf '%s\\n' {' '.join(map(repr, states))}; }}"


def test_nothing_is_broken_by_accident():
    done = bash("compose/drill.sh")
    assert done.returncode == 1
    assert "nothing was broken" in done.stderr
    assert "make drill YES=1" in done.stderr


def test_a_fault_that_there_is_not_is_refused_and_those_there_are_named():
    done = bash(f"{SOURCES}; choose_faults", environment={"FAULTS": "kafka printer"})
    assert done.returncode == 1
    assert "there is no fault printer" in done.stderr
    assert "releaser ingest" in done.stderr


def test_each_fault_is_played_unless_some_are_chosen():
    done = bash(f'{SOURCES}; choose_faults; echo "${{#CHOSEN[@]}} ${{#EXPECTED[@]}}"')
    played, expected = done.stdout.split()
    assert played == expected


def test_a_stack_that_is_ill_already_is_left_alone():
    stub = stack_of("nginx running healthy", "kafka running unhealthy")
    done = bash(f"{SOURCES}; {stub}; CHOSEN=(nginx); remember_what_runs")
    assert done.returncode == 1
    assert "not healthy: kafka" in done.stderr


def test_a_service_that_does_not_run_is_not_killed():
    stub = stack_of("nginx running healthy", "kafka exited -")
    done = bash(f"{SOURCES}; {stub}; CHOSEN=(kafka); remember_what_runs")
    assert done.returncode == 1
    assert "kafka does not run" in done.stderr


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        ("echo 'release (job 7) since 2026-01-31 03:30 UTC'", "under way: release (job 7) since"),
        ("return 2", "the database does not say what is under way"),
    ],
    ids=["a release", "no answer"],
)
def test_what_is_under_way_is_spared(answer, refusal):
    done = bash(f"{SOURCES}; docker() {{ {answer}; }}; spare_what_is_under_way")
    assert done.returncode == 1
    assert refusal in done.stderr
    assert "Nothing was broken" in done.stderr


def test_where_nothing_is_under_way_the_drill_goes_on():
    assert bash(f"{SOURCES}; docker() {{ echo; }}; spare_what_is_under_way").returncode == 0


@pytest.mark.parametrize(
    ("states", "well"),
    [
        (("nginx running healthy", "simulator running -", "migrate exited -"), True),
        (("nginx running starting", "simulator running -"), False),
        (("nginx running healthy", "simulator exited -"), False),
        (("nginx running healthy",), False),
    ],
    ids=["all run", "one starts", "one ended", "one is gone"],
)
def test_all_is_well_when_all_that_ran_before_runs(states, well):
    done = bash(f"{SOURCES}; {stack_of(*states)}; RAN=(simulator nginx); all_well")
    assert (done.returncode == 0) == well


@pytest.mark.parametrize(
    ("seen", "passed"),
    [
        ("kafka 100 0 1.5", "true"),
        ("kafka 100 1 1.5", "false"),
        ("kafka 0 0 1.5", "false"),
        ("kafka 100 0 null", "false"),
        ("nginx 100 30 1.5", "true"),
        ("nginx 100 30 null", "false"),
    ],
)
def test_what_passes(seen, passed):
    assert bash(f"{SOURCES}; verdict {seen}").stdout.strip() == passed


def test_the_report_is_whole_json(tmp_path):
    script = (
        f"{SOURCES}; REPORT={tmp_path}/build/drill.json; begin_report; AUDIT=true;"
        " report_fault kafka 100 0 1.5; report_fault postgres 90 2 null; end_report"
    )
    done = bash(script)
    assert done.returncode == 1
    assert "not everything did what was expected of it" in done.stderr
    report = json.loads((tmp_path / "build/drill.json").read_text())
    assert (report["passed"], report["audit_balances"]) == (False, True)
    assert [
        (one["fault"], one["answered"], one["failed"], one["seconds_to_recover"], one["passed"])
        for one in report["faults"]
    ] == [("kafka", 100, 0, 1.5, True), ("postgres", 90, 2, None, False)]


@pytest.mark.parametrize(("milliseconds", "seconds"), [(0, "0.0"), (1290, "1.2"), (60_000, "60.0")])
def test_seconds_have_one_decimal(milliseconds, seconds):
    assert bash(f"{SOURCES}; tenths {milliseconds}").stdout.strip() == seconds


ASKED = f"""{SOURCES}
answered() {{ [ "$1" -ne 2 ]; }}
sleep() {{ command sleep 0.01; }}
asked=$(mktemp)
"""


def test_somebody_asks_until_ended_and_who_got_no_list_is_counted():
    ended = "ask_people > $asked & await_first $asked; command sleep 0.5; kill $!"
    done = bash(f"{ASKED} {ended}; count $asked answered; count $asked failed")
    answered, failed = map(int, done.stdout.split())
    assert answered >= 1
    assert failed <= 1


ASKS_ON = f"""{SOURCES}
ask_people() {{ while true; do echo answered; command sleep 0.05; done; }}
milliseconds() {{ echo 0; }}
sleep() {{ command sleep "${{SLOWLY:-0.01}}"; }}
docker() {{ [ "$2" != "${{FAILS-}}" ]; }}
RAN=(nginx)
left() {{ if kill -0 "$asker" 2> /dev/null || [ -e "$ASKED" ]; then echo something is left; fi; }}
trap 'undo; left' EXIT
begin_asking
asker=$ASKER
begin_asking() {{ :; }}
"""


def test_nobody_asks_on_where_a_service_cannot_be_killed():
    done = bash(f"{ASKS_ON} play nginx", environment={"FAILS": "kill"})
    assert done.returncode == 1
    assert "nginx could not be killed" in done.stderr
    assert done.stdout.splitlines()[1:] == []  # behind that it kills nginx


def test_nobody_asks_on_where_the_script_alone_is_ended():
    script = f"{ASKS_ON} (command sleep 0.3; kill -TERM $$) & play nginx"
    done = bash(script, environment={"SLOWLY": "1"})
    assert done.returncode in {-15, 143}
    assert done.stdout.splitlines()[1:] == []  # behind that it kills nginx


def test_from_a_network_it_asks_nginx_by_its_name_there_and_is_ended_with_its_caller():
    stub = 'docker() { echo docker "$@"; }; exec() { "$@"; exit; }'
    environment = {
        "MARQUEE_ASKING_NETWORK": "published",
        "COMPOSE_PROJECT_NAME": "town",
        "IMAGE_PREFIX": "town",
    }
    done = bash(f"{SOURCES}; {stub}; ask_people", environment=environment)
    assert "--network town_published" in done.stdout
    assert "MARQUEE_NGINX_ADDRESS=nginx" in done.stdout

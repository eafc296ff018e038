"""What is shown of commands whose output matters only when they fail."""

import pytest

from tests.unit.compose.shell import bash

SLOTS = "recommender-blue recommender-green"
SOURCES = "source compose/up/say.sh; source compose/up/start_services.sh"


def test_of_a_command_that_succeeds_nothing_is_shown():
    found = bash(f"{SOURCES}; quietly echo much")
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_of_a_command_that_fails_its_end_is_shown_and_its_status_kept():
    found = bash(f"{SOURCES}; fails() {{ seq 1 40; return 3; }}; quietly fails || exit $?")
    assert found.returncode == 3
    assert found.stderr.split() == [str(number) for number in range(11, 41)]


@pytest.mark.parametrize(
    ("services", "failed"),
    [
        ("postgres running 0 healthy\ningest exited 1 ", "ingest"),
        ("migrate exited 0 \ntrainer restarting 1 ", "trainer"),
        ("kafka running 0 unhealthy\ningest created 0 ", "kafka"),
        ("migrate exited 0 \npostgres running 0 healthy", ""),
    ],
)
def test_the_service_that_failed_is_found(services, failed):
    found = bash(f"{SOURCES}; docker() {{ printf '{services}\\n'; }}; failed_service")
    assert found.stdout.strip() == failed


def test_a_failed_start_shows_the_end_of_the_services_log_and_what_to_do():
    stub = (
        'docker() { case "$*" in *ps*) echo "ingest exited 1 " ;; *logs*) echo "no topic" ;;'
        ' *) echo "it failed"; return 1 ;; esac; }'
    )
    found = bash(f"{SOURCES}; {stub}; start ingest")
    assert found.returncode == 1
    assert "no topic" in found.stderr
    assert "the service ingest did not start" in found.stderr
    assert "docker compose logs ingest" in found.stderr


def test_the_network_of_older_code_goes_when_the_simulator_has_left_it(tmp_path):
    log = tmp_path / "calls"
    stubs = (
        "SIMULATOR=on; COMPOSE_PROJECT_NAME=marquee; start() { :; };"
        f' docker() {{ echo "$*" >> {log}; case "$*" in *config*) echo kafka ;; esac; }}'
    )
    assert bash(f"{SOURCES}; {stubs}; start_services").returncode == 0
    assert log.read_text().splitlines()[-2:] == [
        "compose up --detach --no-build simulator",
        "network rm marquee_default",
    ]


@pytest.mark.parametrize(
    ("running", "started"),
    [
        ("", [f"kafka nginx {SLOTS}"]),
        ("kafka\\nnginx", ["kafka", f"kafka {SLOTS}", f"kafka nginx {SLOTS}"]),
    ],
)
def test_who_answers_is_replaced_after_all_others_where_people_are_answered(running, started):
    """Compose stops all that it replaces first, and starts each when all are there."""
    stubs = (
        'SIMULATOR=off; COMPOSE_PROJECT_NAME=marquee; start() { echo "started $*"; };'
        f' docker() {{ case "$*" in *config*) printf "%s\\n" kafka nginx secrets {SLOTS} ;;'
        f' *running*) printf "{running}\\n" ;; esac; }}'
    )
    found = bash(f"{SOURCES}; {stubs}; start_services")
    assert found.returncode == 0, found.stderr
    lines = [line for line in found.stdout.splitlines() if line.startswith("started ")]
    assert lines == [f"started {services}" for services in started]

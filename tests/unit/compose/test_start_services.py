"""What is shown of commands whose output matters only when they fail."""

import pytest

from tests.unit.compose.shell import bash

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

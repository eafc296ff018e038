"""What `make down` leaves: all data, or with DATA=gone none, and no word of a restore cut off."""

import uuid

import pytest

from tests.unit.compose.shell import bash

ENGINE = 'docker() { [[ $* != *--volumes* ]] || return "$REMOVES"; }; export -f docker'


def down(tmp_path, **given):
    """Run it after a restore that was cut off; whether the next start is still told of it."""
    note = tmp_path / "env.restoring"
    note.write_text("/backups/20260101-000000")
    environment = {
        "MARQUEE_ENV_FILE": str(tmp_path / "env"),
        "COMPOSE_PROJECT_NAME": f"test-{uuid.uuid4()}",
        "REMOVES": "0",
    }
    done = bash(f"{ENGINE}; compose/down.sh <<< gone", environment={**environment, **given})
    return done.returncode, note.exists()


def test_with_all_data_goes_that_half_of_it_was_missing(tmp_path):
    assert down(tmp_path, DATA="gone") == (0, False)


@pytest.mark.parametrize(("given", "status"), [({}, 0), ({"DATA": "gone", "REMOVES": "1"}, 1)])
def test_while_data_stays_so_does_that_half_of_it_is_missing(tmp_path, given, status):
    assert down(tmp_path, **given) == (status, True)

import json

import pytest
from typer.testing import CliRunner

from monitoring.__main__ import app
from monitoring.status.containers import LONG_RUNNING
from tests.stores import service_environment

RUNNING = [{"Service": name, "State": "running", "Health": "healthy"} for name in LONG_RUNNING]


@pytest.fixture
def environment(conninfo, tmp_path):
    backups = tmp_path / "backup-metrics"
    backups.write_text(
        "# TYPE marquee_backup_newest_timestamp_seconds gauge\n"
        "marquee_backup_newest_timestamp_seconds 0\n"
    )
    return {
        **service_environment(conninfo("evaluation"), tmp_path),
        "INGEST_METRICS_URL": "http://127.0.0.1:1/metrics",
        "BACKUP_METRICS_URL": backups.as_uri(),
        "PROMETHEUS_URL": "http://127.0.0.1:1",
    }


def status(environment, containers):
    listing = "\n".join(json.dumps(container) for container in containers)
    return CliRunner().invoke(app, ["status"], input=listing, env=environment)


def test_a_whole_system_ends_with_0(environment):
    assert status(environment, RUNNING).exit_code == 0


def test_an_absent_service_ends_with_1_and_is_named(environment):
    done = status(environment, RUNNING[1:])
    assert (done.exit_code, f"! {RUNNING[0]['Service']}" in " ".join(done.stdout.split())) == (
        1,
        True,
    )


def test_without_a_listing_the_database_is_told_of(environment):
    done = status(environment, [])
    assert (done.exit_code, "live model" in done.stdout) == (0, True)


def test_without_a_database_the_services_are_told_of(environment):
    done = status(environment | {"DATABASE_PORT": "1"}, RUNNING)
    assert (done.exit_code, "kafka" in done.stdout, "cannot be read" in done.stdout) == (
        1,
        True,
        True,
    )


def test_another_text_than_a_listing_is_refused(environment):
    done = CliRunner().invoke(app, ["status"], input="no json", env=environment)
    assert (done.exit_code, "standard input" in done.output) == (2, True)

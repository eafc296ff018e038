"""What the evaluation service tells for alerts, read from a real database."""

import json
import socket
import time

import pytest

from compose.service.metrics import process_registry
from monitoring.alerting.collector import AlertingCollector
from monitoring.settings import Settings
from tests.stores import service_environment

JOB = (
    "INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES (%s, %s, 'doing')"
    " RETURNING id"
)
STEP = (
    "INSERT INTO deployment (action, step, version, slot, share, reason)"
    " VALUES (%s, %s, %s, 'blue', 0, 'test')"
)


@pytest.fixture
def settings(conninfo, tmp_path, monkeypatch):
    for name, value in service_environment(conninfo("evaluation"), tmp_path).items():
        monkeypatch.setenv(name, value)
    given = tmp_path / "given.json"
    given.write_text(json.dumps({"slack": False, "watchdog": True}))
    return Settings(given_file=given, alert_test_file=tmp_path / "alert-test")


def sample(settings, name, /, **labels):
    """What Prometheus would read."""
    registry = process_registry()
    registry.register(AlertingCollector(settings))
    return registry.get_sample_value(name, labels)


def end_job(owner, queue, task, status):
    (job_id,) = owner.execute(JOB, (queue, task)).fetchone()
    owner.execute("UPDATE procrastinate_jobs SET status = %s WHERE id = %s", (status, job_id))
    return job_id


def failures(settings, task="train", worker="trainer"):
    return sample(settings, "marquee_job_failures", task=task, worker=worker)


def test_failures_count_since_a_job_last_succeeded(settings, owner):
    for status in ("failed", "succeeded", "failed", "failed"):
        end_job(owner, "train", "train", status)
    assert failures(settings) == 2
    end_job(owner, "train", "train", "succeeded")
    assert failures(settings) == 0


def test_failures_of_another_job_are_its_own(settings, owner):
    end_job(owner, "retain", "audit", "failed")
    end_job(owner, "retain", "retain", "succeeded")
    assert failures(settings, "audit", "retention") == 1
    assert failures(settings, "retain", "retention") == 0


def test_a_failure_that_is_older_than_what_is_remembered_does_not_count(settings, owner):
    job_id = end_job(owner, "train", "train", "failed")
    owner.execute(
        "UPDATE procrastinate_events SET at = now() - interval '8 days' WHERE job_id = %s",
        (job_id,),
    )
    assert failures(settings) == 0


def test_a_step_of_a_pipeline_that_failed_is_told_until_it_ends_well(settings, owner):
    owner.execute("SELECT step_ended('lint', false), step_ended('images', true)")
    assert failures(settings, "lint", "jenkins") == 1
    assert failures(settings, "images", "jenkins") == 0
    owner.execute("SELECT step_ended('lint', true)")
    assert failures(settings, "lint", "jenkins") == 0


def aborted(settings, version="v2"):
    name = "marquee_release_aborted_timestamp_seconds"
    return sample(settings, name, model_version=version)


def test_an_aborted_release_is_told_until_another_ends_well(settings, owner):
    owner.execute(STEP, ("release", "promote", "v1"))
    assert aborted(settings) is None
    owner.execute(STEP, ("release", "abort", "v2"))
    assert aborted(settings) == pytest.approx(time.time(), abs=600)
    owner.execute(STEP, ("release", "start", "v3"))
    assert aborted(settings) is not None
    owner.execute(STEP, ("release", "promote", "v3"))
    assert aborted(settings) is None


def test_the_last_backup_is_told_and_0_before_the_first(settings, owner):
    name = "marquee_backup_last_timestamp_seconds"
    assert sample(settings, name) == 0
    owner.execute("INSERT INTO backup (directory, bytes, ended_at) VALUES ('/b', 1, '2026-01-01Z')")
    owner.execute("INSERT INTO backup (directory, bytes, ended_at) VALUES ('/b', 1, '2025-01-01Z')")
    assert sample(settings, name) == 1767225600


def test_addresses_that_were_given_are_told_from_those_that_were_not(settings):
    assert sample(settings, "marquee_secret_set", name="slack") == 0
    assert sample(settings, "marquee_secret_set", name="watchdog") == 1


@pytest.mark.parametrize(
    ("simulator", "profiles", "wanted"),
    [
        ("on", "", {"simulator"}),
        ("off", "grafana", {"grafana"}),
        ("off", "jenkins", {"jenkins", "helper"}),
        ("off", "", set()),
    ],
)
def test_a_service_is_wanted_when_it_is_chosen(settings, simulator, profiles, wanted):
    chosen = settings.model_copy(update={"simulator": simulator, "compose_profiles": profiles})
    told = {
        name: sample(chosen, "marquee_service_wanted", name=name)
        for name in ("simulator", "grafana", "jenkins", "helper")
    }
    assert told == {name: float(name in wanted) for name in told}


def test_a_test_is_told_of_when_it_was_asked_for(settings):
    name = "marquee_alert_test_timestamp_seconds"
    assert sample(settings, name) == 0
    settings.alert_test_file.touch()
    assert sample(settings, name) == pytest.approx(time.time(), abs=600)


def test_a_database_that_answers_is_told_from_one_that_is_frozen(settings, monkeypatch):
    assert sample(settings, "marquee_database_answers") == 1
    with socket.create_server(("127.0.0.1", 0)) as frozen:  # who comes is let in, and not heard
        monkeypatch.setenv("DATABASE_HOST", "127.0.0.1")
        monkeypatch.setenv("DATABASE_PORT", str(frozen.getsockname()[1]))
        silent = Settings(given_file=settings.given_file, alert_test_file=settings.alert_test_file)
        assert sample(silent, "marquee_database_answers") == 0


def test_without_a_database_only_its_own_figures_are_absent(settings, monkeypatch):
    monkeypatch.setenv("DATABASE_PORT", "1")
    lost = Settings(given_file=settings.given_file, alert_test_file=settings.alert_test_file)
    assert sample(lost, "marquee_database_answers") == 0
    assert sample(lost, "marquee_backup_last_timestamp_seconds") is None
    assert sample(lost, "marquee_secret_set", name="slack") == 0

"""The pipelines ask for nothing that a person could not ask make for; each has its job."""

import fnmatch
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from ci.helper.verbs import VERBS
from ci.pipeline import steps
from tests.browser import SCHEMES, WIDTHS

ROOT = Path(__file__).parents[3]
PIPELINES = [ROOT / "ci/Jenkinsfile", *sorted((ROOT / "ci/pipelines").glob("*.Jenkinsfile"))]
STEPS = [(path.name, step) for path in PIPELINES for step in steps(path.read_text())]
JENKINS = yaml.safe_load((ROOT / "ci/jenkins/casc.yaml").read_text())
JOBS = [job["script"] for job in JENKINS["jobs"]]
SERVICE = yaml.safe_load((ROOT / "compose/releaser.yml").read_text())["services"]["jenkins"]


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.name)
def test_there_are_steps(path):
    assert steps(path.read_text())


@pytest.mark.parametrize(("pipeline", "step"), STEPS)
def test_a_step_is_one_make_target_that_exists(pipeline, step):
    make, target, *settings = step.split(" ")
    assert make == "make"
    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert settings == (["YES=1"] if target == "drill" else []), pipeline


def test_each_pipeline_has_a_job_and_each_job_a_pipeline():
    told = [re.findall(r"scriptPath\('(.+?)'\)", job) for job in JOBS]
    assert sorted(path for (path,) in told) == sorted(
        str(path.relative_to(ROOT)) for path in PIPELINES
    )


def test_each_job_says_what_starts_it():
    """What the job does not say itself is gone after the next start of Jenkins."""
    assert all("pipelineTriggers { triggers {" in job for job in JOBS)


def test_what_the_jobs_name_is_in_the_container_s_environment():
    named = set(re.findall(r"\$\{([A-Z_]+)", "".join(JOBS)))
    assert named == {"POLL_CRON", "BUILD_CRON", "CERTIFICATE_CRON", "DRILL_CRON", "REPOSITORY_URL"}
    assert named <= set(SERVICE["environment"])


def test_only_the_drill_can_be_off_and_is_unless_it_has_a_time():
    off = [job for job in JOBS if "disabled(" in job]
    assert ["pipelineJob('drill')" in job for job in off] == [True]
    assert "disabled('${DRILL_CRON:-}'.isEmpty())" in off[0]
    assert SERVICE["environment"]["DRILL_CRON"] == "${JENKINS_DRILL_CRON:-}"


def test_screenshots_come_from_the_helper_and_are_archived():
    archived = re.search(r"artifacts: 'build/(\S+)'", (ROOT / "ci/Jenkinsfile").read_text())
    wanted = {f"screenshot-status-full-{d}-{s}.png" for d in WIDTHS for s in SCHEMES}
    results = VERBS["test-integration"].results
    assert set(fnmatch.filter(results, archived.group(1))) == wanted


def test_the_jobs_are_groovy(tmp_path):
    files = [tmp_path / f"job_{number}" for number in range(len(JOBS))]
    for file, job in zip(files, JOBS, strict=True):
        file.write_text(job)
    done = subprocess.run(
        ["ci/groovy/check_syntax.sh", *files], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr

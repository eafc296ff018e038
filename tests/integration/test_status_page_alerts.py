"""What the status page says of alerts that a real Prometheus fires by the shipped rules."""

import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest

from monitoring.page.prometheus import read_figures
from monitoring.page.rendering import render
from tests.integration.alerting import Quiet, prometheus, serving
from tests.ports import free_port
from tests.unit.monitoring.pages import content
from tests.waiting import eventually

SECONDS_TO_FIRE = 60
HOSTILE = "<script>alert(1)</script> {{ $labels.alertname }}"
METRICS = f"""\
marquee_release_aborted_timestamp_seconds{{model_version="{HOSTILE}"}} {time.time():.0f}
marquee_job_failures{{task="train", worker="trainer"}} 3
"""


class Evaluation(Quiet, BaseHTTPRequestHandler):
    """Answers /metrics as the evaluation service does after a bad night."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(METRICS.encode())


@pytest.fixture
def prometheus_url(tmp_path):
    with serving(Evaluation) as evaluation:
        targets = {"evaluation:9000": f"127.0.0.1:{evaluation}"}
        with prometheus(tmp_path, free_port(), targets) as running:
            yield f"http://127.0.0.1:{running.port}"


def by_rule(figures):
    return {alert.rule: alert for alert in figures.alerts}


def test_the_page_says_what_fires_in_words_and_takes_no_label_for_markup(prometheus_url):
    def asked(after):
        """As a page reads it that is made so long after now: an alert is seen at whole minutes."""
        return read_figures(prometheus_url, datetime.now(UTC) + after)

    a_minute = timedelta(minutes=1)
    expected = {"TrainingFailed", "ReleaseAborted"}
    eventually(lambda: expected <= by_rule(asked(a_minute)).keys(), SECONDS_TO_FIRE, str(expected))
    figures = asked(a_minute)
    fires = by_rule(figures)
    assert fires["TrainingFailed"].meaning.startswith("Training has failed 3 times since")
    assert fires["ReleaseAborted"].meaning.startswith(f"The release of {HOSTILE} was aborted")
    page = render(content(figures=figures))
    assert "The release of &lt;script&gt;alert(1)&lt;/script&gt; {{ $labels.alertname }}" in page
    assert "<script" not in page
    ended = by_rule(asked(10 * a_minute))["TrainingFailed"]
    assert ended.ended_at is not None
    assert ended.meaning.startswith("Training has failed … times since")

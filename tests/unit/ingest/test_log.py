"""What stands in each line that a service logs."""

import json
from threading import Thread

import pytest
import structlog

from compose.service.log import configure_logging


@pytest.fixture(autouse=True)
def logging_as_before():
    yield
    structlog.reset_defaults()


def test_a_line_is_one_json_object_that_names_the_service_in_whatever_thread(capsys):
    configure_logging("ingest")
    thread = Thread(target=lambda: structlog.get_logger().info("landed", rows=3))
    thread.start()
    thread.join()

    line = json.loads(capsys.readouterr().out)
    assert (line["service"], line["event"], line["rows"]) == ("ingest", "landed", 3)
    assert line["timestamp"].endswith("Z")


def test_an_error_s_trace_stays_on_its_line(capsys):
    configure_logging("ingest")
    structlog.get_logger().error("failed", exc_info=ValueError("wrong"))

    assert "ValueError: wrong" in json.loads(capsys.readouterr().out)["exception"]

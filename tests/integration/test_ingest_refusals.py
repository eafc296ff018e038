"""What no retry cures ends ingest with one line; what passes leaves its heartbeat standing."""

import os
import subprocess
import sys

import psycopg
import pytest
from kafka import codec

from compose.service.watchdog import HUNG
from ingest.errors import MissingTopicError, RefusedError, UnreadableError
from ingest.kafka.decompression import MOST_BYTES
from ingest.landing import consumer
from ingest.metrics import INGEST
from tests.integration.ingesting import accounts, landed_users, producing, publish, running
from tests.ports import free_port
from tests.stores import KAFKA
from tests.waiting import eventually


def test_lines_that_no_codec_unpacks_end_it(ingest_settings, conninfo, topic, monkeypatch):
    with producing(KAFKA, compression_type="gzip") as producer:
        publish(producer, topic, accounts(1, 3))
    monkeypatch.setattr(codec, "has_gzip", lambda: False)
    with (
        pytest.raises(UnreadableError, match=f"the lines of {topic} cannot be unpacked: .*gzip"),
        running(ingest_settings, conninfo("ingest")) as over,
    ):
        assert over.wait(60)


def test_a_batch_that_is_packed_from_too_much_ends_it_and_what_came_before_lands(
    ingest_settings, conninfo, topic
):
    larger = {"compression_type": "zstd", "max_request_size": 3 * MOST_BYTES}
    with producing(KAFKA, **larger) as producer:
        publish(producer, topic, accounts(1, 3))
        publish(producer, topic, [bytes(2 * MOST_BYTES)])
    with (
        pytest.raises(UnreadableError, match=f"more than 16 MiB; next is {topic}/0: 3,"),
        running(ingest_settings, conninfo("ingest")) as over,
    ):
        assert over.wait(60)
    assert landed_users(conninfo("marquee")) == [1, 2, 3]


def test_a_topic_that_nobody_makes_ends_it_after_a_grace(ingest_settings, conninfo, monkeypatch):
    monkeypatch.setattr(consumer, "TOPIC_GRACE_SECONDS", 1.0)
    missing = ingest_settings.model_copy(update={"kafka_topic": "nobody_made_it"})
    with (
        pytest.raises(MissingTopicError, match="no topic nobody_made_it"),
        running(missing, conninfo("ingest")) as over,
    ):
        assert over.wait(60)


def test_a_missing_right_ends_it(ingest_settings, conninfo):
    with psycopg.connect(conninfo("marquee")) as connection:
        connection.execute("REVOKE ALL ON stream_offset FROM ingest")
    with (
        pytest.raises(RefusedError, match="permission denied for table stream_offset"),
        running(ingest_settings, conninfo("ingest")) as over,
    ):
        assert over.wait(60)


def test_whoever_fails_all_the_time_has_no_heartbeat_and_says_how_often_until_it_goes_on(
    ingest_settings, conninfo, capfd
):
    nowhere = ingest_settings.model_copy(update={"kafka_servers": f"localhost:{free_port()}"})
    said = ""

    def tried_twice() -> bool:
        nonlocal said
        said += capfd.readouterr().out
        return said.count("will try again") >= 2

    with running(nowhere, conninfo("ingest")):
        eventually(tried_twice, 60)
        assert not ingest_settings.heartbeat_file.exists()
        assert INGEST.get_sample_value("marquee_ingest_failed_attempts") >= 2
    with running(ingest_settings, conninfo("ingest")):
        eventually(ingest_settings.heartbeat_file.exists, 60)
        eventually(lambda: INGEST.get_sample_value("marquee_ingest_failed_attempts") == 0, 60)


HANGING_INGEST = """
from compose.service import watchdog
watchdog.LOOK_SECONDS, watchdog.LOOKS = 0.1, 30
from ingest.__main__ import app
app(["run"])
"""


@pytest.mark.usefixtures("ingest_environment")
def test_a_loop_that_hangs_ends_it_and_the_next_one_lands_what_it_had_in_hand(
    ingest_settings, conninfo, topic, tmp_path
):
    with producing(KAFKA) as producer:
        publish(producer, topic, accounts(1, 3))
    own = {"METRICS_PORT": str(free_port()), "HEARTBEAT_FILE": str(tmp_path / "heartbeat")}
    with psycopg.connect(conninfo("marquee")) as connection:
        connection.execute("LOCK TABLE account IN ACCESS EXCLUSIVE MODE")
        ended = subprocess.run(
            [sys.executable, "-c", HANGING_INGEST], env=os.environ | own, check=False, timeout=240
        )
        assert ended.returncode == HUNG
    with running(ingest_settings, conninfo("ingest")):
        eventually(lambda: landed_users(conninfo("marquee")) == [1, 2, 3], 60)

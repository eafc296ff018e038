"""A log that went back: played with a topic that holds what a broker would hold then."""

import uuid
from collections.abc import Callable, Iterator
from functools import partial

import psycopg
import pytest
from kafka.admin import KafkaAdminClient, NewTopic
from typer.testing import CliRunner

from ingest.__main__ import app
from ingest.audit.audit import audit
from ingest.errors import TruncatedLogError
from ingest.kafka.broker import KafkaSettings, asking, topic_id
from ingest.kafka.truncation import truncations
from ingest.landing.landed import is_landed
from ingest.settings import IngestSettings
from tests.integration.ingesting import (
    accounts,
    landed_users,
    next_offset,
    now,
    producing,
    publish,
    running,
)
from tests.stores import KAFKA
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("ingest_environment")

OLD = accounts(1_000, 100)
NEW = accounts(2_000, 100)


@pytest.fixture
def log_becomes(
    ingest_settings, conninfo, monkeypatch
) -> Iterator[Callable[[list[bytes]], IngestSettings]]:
    """A hundred lines have landed; call it with those that the log is to hold in their place."""
    with producing(KAFKA) as producer:
        publish(producer, ingest_settings.kafka_topic, OLD)
    with running(ingest_settings, conninfo("ingest")):
        eventually(lambda: next_offset(conninfo("marquee")) == 100, 60)
    name = f"test_{uuid.uuid4().hex[:8]}"
    admin = KafkaAdminClient(bootstrap_servers=KAFKA)
    admin.create_topics([NewTopic(name, num_partitions=2, replication_factor=1)])

    def become(lines: list[bytes]) -> IngestSettings:
        with producing(KAFKA) as producer:
            publish(producer, name, lines)
        identity = topic_id(KafkaSettings(kafka_servers=KAFKA, kafka_topic=name))
        with psycopg.connect(conninfo("marquee")) as connection:
            connection.execute(
                "UPDATE stream_offset SET topic = %s, topic_id = %s", (name, identity)
            )
        monkeypatch.setenv("KAFKA_TOPIC", name)
        return ingest_settings.model_copy(update={"kafka_topic": name})

    yield become
    admin.delete_topics([name])
    admin.close()


def stopped_with(settings: IngestSettings, conninfo: str) -> str:
    with pytest.raises(TruncatedLogError) as stopped, running(settings, conninfo) as over:
        assert over.wait(60)
    return str(stopped.value)


def test_a_log_that_ends_before_what_landed_stops_ingest_with_its_numbers(log_becomes, conninfo):
    settings = log_becomes(OLD[:50])
    said = stopped_with(settings, conninfo("ingest"))
    assert f"{settings.kafka_topic}/0: 100 is next, the broker has 0 to 50" in said


def test_a_log_that_went_back_and_grew_again_stops_ingest_with_its_numbers(log_becomes, conninfo):
    settings = log_becomes(OLD[:50] + NEW[:70])
    said = stopped_with(settings, conninfo("ingest"))
    assert "100 is next, the broker has 0 to 120, and not the line at 99 that landed" in said


def test_a_log_that_holds_what_landed_goes_on(log_becomes, conninfo):
    settings = log_becomes(OLD + NEW[:1])
    with running(settings, conninfo("ingest")):
        eventually(lambda: next_offset(conninfo("marquee")) == 101, 60)


def test_a_line_written_again_under_another_leader_stops_ingest(log_becomes, conninfo):
    settings = log_becomes(OLD)
    with psycopg.connect(conninfo("marquee")) as connection:
        connection.execute("UPDATE stream_offset SET last_leader_epoch = 7")
    assert "under leader epoch 0 instead of 7" in stopped_with(settings, conninfo("ingest"))


@pytest.mark.parametrize("kept", [0, 1, 50, 99])
def test_an_accepted_truncation_lands_what_is_new_once_and_keeps_what_landed(
    log_becomes, conninfo, kept
):
    settings = log_becomes(OLD[:kept] + NEW)
    told = CliRunner().invoke(app, ["accept-truncation", "the power was cut"])
    assert told.stdout == (
        f"partition 0: from offset {kept} on other lines stand than landed;"
        " the first of them is stored as 100\n"
    )
    for _ in range(2):
        with running(settings, conninfo("ingest")):
            eventually(lambda: next_offset(conninfo("marquee")) == 200, 60)
    assert landed_users(conninfo("marquee")) == [*range(1_000, 1_100), *range(2_000, 2_100)]
    with psycopg.connect(conninfo("retention"), autocommit=True) as connection:
        assert all(partition.balanced for partition in audit(connection, now()))


def test_a_log_can_go_back_twice(log_becomes, conninfo):
    first = log_becomes(OLD[:50] + NEW[:30])
    assert CliRunner().invoke(app, ["accept-truncation", "once"]).exit_code == 0
    with running(first, conninfo("ingest")):
        eventually(lambda: next_offset(conninfo("marquee")) == 130, 60)
    with psycopg.connect(conninfo("marquee")) as connection:  # as if it had gone back to 60
        connection.execute("UPDATE stream_offset SET last_line_hash = 0 WHERE log_partition = 0")
        connection.execute("UPDATE account SET user_id = 0 WHERE log_offset >= 110")
    told = CliRunner().invoke(app, ["accept-truncation", "twice"])
    assert "from offset 60 on" in told.stdout
    with running(first, conninfo("ingest")):
        eventually(lambda: next_offset(conninfo("marquee")) == 150, 60)
    assert landed_users(conninfo("marquee"))[130:] == [*range(2_010, 2_030)]


def test_nothing_is_accepted_where_the_log_is_whole(log_becomes):
    log_becomes(OLD)
    told = CliRunner().invoke(app, ["accept-truncation", "to be sure"])
    assert told.stdout == "nothing to accept: the broker has what landed last\n"


def test_a_log_that_is_read_meanwhile_has_not_gone_back(log_becomes, conninfo, monkeypatch):
    settings = log_becomes(OLD)
    with (
        running(settings, conninfo("ingest")),
        producing(KAFKA) as producer,
        asking(settings) as consumer,
        psycopg.connect(conninfo("ingest"), autocommit=True) as connection,
    ):
        ask = consumer.end_offsets

        def ask_and_then_lines_land(partitions):
            ends = ask(partitions)
            publish(producer, settings.kafka_topic, NEW)
            eventually(lambda: next_offset(conninfo("marquee")) == 200, 60)
            return ends

        monkeypatch.setattr(consumer, "end_offsets", ask_and_then_lines_land)
        same = partial(is_landed, connection, settings.scale)
        assert truncations(consumer, connection, settings.kafka_topic, same) == {}

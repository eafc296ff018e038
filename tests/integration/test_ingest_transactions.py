"""Lines that producers publish in transactions, some of which are aborted."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from kafka import KafkaProducer
from typer.testing import CliRunner

from ingest.__main__ import app
from ingest.audit.audit import audit
from tests.integration.ingesting import (
    accounts,
    landed_users,
    next_offset,
    now,
    producing,
    publish,
    refused_lines,
    running,
)
from tests.waiting import eventually


@contextmanager
def transactional_producer(servers: str) -> Iterator[KafkaProducer]:
    with producing(servers, transactional_id="test") as producer:
        producer.init_transactions()
        yield producer


def test_lines_of_an_aborted_transaction_do_not_land_and_its_offsets_are_accounted_for(
    ingest_settings, conninfo, topic, kafka_servers
):
    with transactional_producer(kafka_servers) as producer:
        producer.begin_transaction()
        publish(producer, topic, accounts(100, 3))
        producer.commit_transaction()  # offsets 0 to 2, marker 3
        producer.begin_transaction()
        publish(producer, topic, accounts(200, 5))
        producer.abort_transaction()  # offsets 4 to 8, marker 9
        producer.begin_transaction()
        publish(producer, topic, accounts(300, 2))
        producer.commit_transaction()  # offsets 10 and 11, marker 12
    with running(ingest_settings, conninfo("ingest")):
        eventually(lambda: next_offset(conninfo("marquee")) == 13)
    assert landed_users(conninfo("marquee")) == [100, 101, 102, 300, 301]
    assert refused_lines(conninfo("marquee")) == []
    with psycopg.connect(conninfo("retention"), autocommit=True) as connection:
        first, _second = audit(connection, now())
    assert (first.consumed, first.accounts, first.gaps, first.rejects) == (13, 5, 8, 0)
    assert first.balanced


def test_lines_of_a_transaction_land_when_it_is_committed_and_not_before(
    ingest_settings, conninfo, topic, kafka_servers
):
    with (
        transactional_producer(kafka_servers) as producer,
        running(ingest_settings, conninfo("ingest")),
    ):
        producer.begin_transaction()
        publish(producer, topic, accounts(100, 3))
        publish(producer, topic, accounts(200, 1), partition=1)
        with producing(kafka_servers) as plain:
            publish(plain, topic, accounts(300, 1))
        eventually(lambda: next_offset(conninfo("marquee")) == 0)
        producer.commit_transaction()
        eventually(lambda: next_offset(conninfo("marquee")) == 5)
        eventually(lambda: next_offset(conninfo("marquee"), 1) == 2)
    assert landed_users(conninfo("marquee")) == [100, 101, 102, 300, 200]


@pytest.mark.usefixtures("ingest_environment")
def test_waiting_ends_where_the_newest_offsets_have_no_record(
    ingest_settings, conninfo, topic, kafka_servers
):
    with transactional_producer(kafka_servers) as producer:
        producer.begin_transaction()
        publish(producer, topic, accounts(100, 3))
        producer.abort_transaction()
        producer.begin_transaction()
        publish(producer, topic, accounts(200, 4))  # still open: nothing before its end can land
        with running(ingest_settings, conninfo("ingest")):
            told = CliRunner().invoke(app, ["wait", "--timeout-seconds", "20"])
            assert told.exit_code == 0, told.output
            assert told.stdout.splitlines()[-1] == "4 of 4 landed"
        producer.abort_transaction()


def test_a_restart_between_markers_loses_and_doubles_nothing(
    ingest_settings, conninfo, topic, kafka_servers
):
    with transactional_producer(kafka_servers) as producer:
        for turn in range(5):
            producer.begin_transaction()
            publish(producer, topic, accounts(10 * turn, 2))
            end = producer.commit_transaction if turn % 2 else producer.abort_transaction
            end()
            with running(ingest_settings, conninfo("ingest")):
                eventually(lambda at=turn: next_offset(conninfo("marquee")) == 3 * at + 3)
    assert landed_users(conninfo("marquee")) == [10, 11, 30, 31]
    with psycopg.connect(conninfo("retention"), autocommit=True) as connection:
        first, _second = audit(connection, now())
    assert (first.gaps, first.balanced) == (11, True)

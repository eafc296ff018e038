"""Stores and workers are killed while lines flow; nothing is lost and nothing needs hands."""

import os

import pytest
from kafka import KafkaConsumer, TopicPartition

from tests.end_to_end.conftest import Stack, eventually


def end_offsets() -> dict[int, int]:
    """Where each partition of the topic ends."""
    topic = os.environ["KAFKA_TOPIC"]
    consumer = KafkaConsumer(bootstrap_servers=f"localhost:{os.environ['KAFKA_PORT']}")
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
    ends = consumer.end_offsets(partitions)
    consumer.close()
    return {at.partition: end for at, end in ends.items()}


def landed(stack: Stack) -> int:
    """How many lines have landed."""
    return stack.sql("SELECT sum(next_offset - first_offset) FROM stream_offset")[0][0]


def assert_it_goes_on_and_balances(stack: Stack) -> None:
    """More lines land, and an audit made after that balances."""
    before = landed(stack)
    eventually(lambda: landed(stack) > before, 60, "more lines landed")
    audited = stack.compose("exec", "-T", "retention", "python", "-m", "ingest", "audit")
    assert "balance" in audited


@pytest.mark.parametrize("service", ["ingest", "retention", "evaluation", "releaser", "trainer"])
def test_a_killed_worker_loses_and_doubles_nothing(stack, service):
    stack.kill(service)
    stack.start(service)
    assert_it_goes_on_and_balances(stack)


def test_a_killed_kafka_keeps_its_log_and_the_stream_goes_on(stack):
    before = end_offsets()
    stack.kill("kafka")
    stack.start("kafka")
    after = end_offsets()
    assert all(after[partition] >= end for partition, end in before.items())
    assert_it_goes_on_and_balances(stack)


def test_a_killed_postgres_leaves_answers_alone_and_the_stream_goes_on(stack):
    stack.kill("postgres")
    assert len(stack.recommend(1)) == 20
    stack.start("postgres")
    assert_it_goes_on_and_balances(stack)

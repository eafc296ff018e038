"""Workers are killed while lines flow; nothing is lost and nothing needs hands."""

import os

import pytest
from kafka import KafkaConsumer, TopicPartition

from tests.end_to_end.conftest import Stack
from tests.waiting import eventually


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


@pytest.mark.parametrize(
    "services", [("ingest",), ("retention", "evaluation", "releaser", "trainer")]
)
def test_killed_workers_lose_and_double_nothing(stack, services):
    stack.kill(*services)
    stack.start(*services)
    assert_it_goes_on_and_balances(stack)

"""Carries lines to Kafka, and outlives a Kafka that is not there."""

import asyncio
from random import Random

import structlog
from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.future import Future

from compose.simulator.metrics import LINES

LONGEST_PAUSE = 15.0
"""Seconds between two attempts to reach Kafka, at most."""
MOST_WAITING = 20_000
"""Lines kept until Kafka is reached for the first time; more are lost."""

type Outbox = asyncio.Queue[tuple[str, bytes]]
"""Lines on their way, each with its kind."""

log = structlog.get_logger()


def post(outbox: Outbox, kind: str, line: bytes) -> None:
    """Leave a line for `publish`; it is counted as lost when too many wait."""
    try:
        outbox.put_nowait((kind, line))
    except asyncio.QueueFull:
        _lost()


async def publish(outbox: Outbox, servers: str, topic: str, random: Random) -> None:
    """Publish what comes, without a key, until cancelled; then what still waits.

    An outage is bridged by the producer for its delivery timeout; what is older is lost.
    """
    producer = await _connected(servers, topic, random)
    try:
        while True:
            _send(producer, topic, *await outbox.get())
    finally:
        while not outbox.empty():
            _send(producer, topic, *outbox.get_nowait())
        producer.close(timeout=3)


async def _connected(servers: str, topic: str, random: Random) -> KafkaProducer:
    pause = 0.5
    while True:
        try:
            return await asyncio.to_thread(_connect, servers, topic)
        except KafkaError as error:
            log.warning("kafka does not answer", servers=servers, topic=topic, error=str(error))
        pause = min(2 * pause, LONGEST_PAUSE)
        await asyncio.sleep(pause * random.uniform(0.5, 1))


def _connect(servers: str, topic: str) -> KafkaProducer:
    producer = KafkaProducer(
        bootstrap_servers=servers.split(","),
        acks="all",
        linger_ms=20,
        bootstrap_timeout_ms=3000,
        max_block_ms=3000,
    )
    try:
        producer.partitions_for(topic)
    except KafkaError:
        producer.close(timeout=0)
        raise
    return producer


def _send(producer: KafkaProducer, topic: str, kind: str, line: bytes) -> None:
    try:
        delivery: Future = producer.send(topic, line)
    except KafkaError:
        _lost()
        return
    delivery.add_callback(lambda _: LINES.labels(kind).inc())
    delivery.add_errback(lambda _: _lost())


def _lost() -> None:
    LINES.labels("lost").inc()

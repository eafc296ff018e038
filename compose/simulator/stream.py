"""Carries lines to Kafka, and outlives a Kafka that is away."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

import structlog
from kafka import KafkaProducer
from kafka.errors import KafkaError

from compose.simulator.metrics import LINES

GATHER_SECONDS = 0.1
"""Lines are sent in batches of what came in this time."""
DELIVERY_SECONDS = 6
"""So long a producer tries to deliver; then a new one sends the batch again. A producer with
unsent lines spins for as long as its broker is away, and holds up a stop."""
LONGEST_PAUSE = 15.0
"""Seconds between two attempts to reach Kafka, at most."""
MOST_WAITING = 20_000
"""Lines kept while Kafka is away; more are lost."""

type Line = tuple[str, bytes]
"""A line and its kind."""
type Outbox = asyncio.Queue[Line]

log = structlog.get_logger()


def post(outbox: Outbox, line: Line) -> None:
    """Leave a line for `publish`; it is counted as lost when too many wait."""
    try:
        outbox.put_nowait(line)
    except asyncio.QueueFull:
        LINES.labels("lost").inc()


async def publish(outbox: Outbox, servers: str, topic: str, random: Random) -> None:
    """Publish what comes, without a key, until cancelled; then what still waits.

    What Kafka did not confirm is sent again, so an outage can double a line, as real ones do.
    """
    batch: list[Line] = []
    while True:
        producer = await _connected(servers, topic, random)
        try:
            while True:
                batch = batch or await _next_batch(outbox)
                await asyncio.to_thread(_deliver, producer, topic, batch)
                batch = []
        except KafkaError as error:
            log.warning("kafka takes no lines", waiting=outbox.qsize(), error=str(error))
            _close(producer, 0)
        except asyncio.CancelledError:
            _send(producer, topic, _waiting(outbox))
            _close(producer, DELIVERY_SECONDS / 2)
            raise


async def _next_batch(outbox: Outbox) -> list[Line]:
    first = await outbox.get()
    await asyncio.sleep(GATHER_SECONDS)
    return [first, *_waiting(outbox)]


def _waiting(outbox: Outbox) -> list[Line]:
    return [outbox.get_nowait() for _ in range(outbox.qsize())]


def _deliver(producer: KafkaProducer, topic: str, batch: Sequence[Line]) -> None:
    deliveries = _send(producer, topic, batch)
    producer.flush(timeout=2 * DELIVERY_SECONDS)  # all end, so that the producer can be closed
    for delivery in deliveries:
        delivery.get()
    for kind, _ in batch:
        LINES.labels(kind).inc()


def _send(producer: KafkaProducer, topic: str, lines: Sequence[Line]) -> list[Any]:
    return [producer.send(topic, line) for _, line in lines]


def _close(producer: KafkaProducer, patience: float) -> None:
    try:
        producer.close(timeout=patience)
    except KafkaError as error:
        log.warning("lines were left behind", error=str(error))


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
        request_timeout_ms=DELIVERY_SECONDS * 500,
        delivery_timeout_ms=DELIVERY_SECONDS * 1000,
        bootstrap_timeout_ms=3000,
        max_block_ms=3000,
    )
    try:
        producer.partitions_for(topic)
    except KafkaError:
        _close(producer, 0)
        raise
    return producer

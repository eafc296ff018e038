"""Sends the sent part of MovieLens as the stream's past, once."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import batched

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from compose.service.landed_offsets import landed_offsets
from compose.simulator.errors import HistoryError
from compose.simulator.movielens import Movie, Rating, recent_times
from compose.simulator.people import StreamScale
from ingest.lines.grammar import AccountCreated, Rated, format_line

BATCH = 10_000

type TellArrived = Callable[[int, int], None]
"""Told how many lines are in the topic by now, of how many."""


def history_lines(
    movies: Sequence[Movie], sent: Sequence[Rating], scale: StreamScale, now: datetime
) -> list[bytes]:
    """The lines of the last 90 days in the order of their times.

    Each user's account is created a minute before their first rating.
    """
    events = list(_events(movies, sent, scale, now))
    return [format_line(event) for event in sorted(events, key=lambda event: event.time)]


def send_history(lines: Sequence[bytes], servers: str, topic: str, tell: TellArrived) -> int:
    """Send the lines that have not arrived yet; return how many those were.

    The history is the beginning of its topic: line i goes to partition i modulo their number, in
    order, so a partition's end offset tells how much of its share has arrived. A second run
    therefore sends nothing, and one after an interruption sends the rest. What landed from a
    topic that was lost has arrived, too.

    Raises:
        HistoryError: Kafka could not be reached, or did not take all lines.
    """
    try:
        missing = _missing(lines, servers, topic)
        if missing:
            _send(missing, len(lines), servers, topic, tell)
    except KafkaError as error:
        raise HistoryError(f"Kafka at {servers} did not take the history: {error}") from error
    return len(missing)


def _events(
    movies: Sequence[Movie], sent: Sequence[Rating], scale: StreamScale, now: datetime
) -> Iterator[AccountCreated | Rated]:
    known: set[int] = set()
    times = recent_times([rating.timestamp for rating in sent], now)
    for rating, time in zip(sent, times, strict=True):
        if rating.user_id not in known:
            known.add(rating.user_id)
            yield AccountCreated(time - timedelta(minutes=1), rating.user_id)
        yield Rated(time, rating.user_id, movies[rating.movie].slug, scale(rating.stars))


def _missing(lines: Sequence[bytes], servers: str, topic: str) -> list[tuple[int, bytes]]:
    """Partition and line of each that neither the topic nor the database has."""
    consumer = KafkaConsumer(bootstrap_servers=servers.split(","))
    try:
        partitions = sorted(consumer.partitions_for_topic(topic) or ())
        ends = consumer.end_offsets([TopicPartition(topic, number) for number in partitions])
    finally:
        consumer.close()
    if not partitions:
        raise HistoryError(f"there is no topic {topic}")
    landed = landed_offsets(servers, topic, partitions)
    held = {one.partition: max(end, landed.get(one.partition, 0)) for one, end in ends.items()}
    places = ((partitions[i % len(partitions)], i // len(partitions)) for i in range(len(lines)))
    return [
        (partition, line)
        for (partition, place), line in zip(places, lines, strict=True)
        if place >= held[partition]
    ]


def _send(
    missing: Sequence[tuple[int, bytes]], total: int, servers: str, topic: str, tell: TellArrived
) -> None:
    producer = KafkaProducer(bootstrap_servers=servers.split(","), acks="all", linger_ms=20)
    arrived = total - len(missing)
    try:
        for batch in batched(missing, BATCH, strict=False):
            deliveries = [producer.send(topic, line, partition=place) for place, line in batch]
            for delivery in deliveries:
                delivery.get(timeout=60)
            arrived += len(batch)
            tell(arrived, total)
    finally:
        producer.close(timeout=5)

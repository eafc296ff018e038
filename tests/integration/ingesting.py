"""A running ingest, and topics to land, for tests of what comes in."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread

import psycopg
from kafka import KafkaProducer

from ingest.landing.consumer import run
from ingest.lines.grammar import AccountCreated, format_line
from ingest.settings import IngestSettings


def now() -> datetime:
    return datetime.now(UTC)


def accounts(first_user: int, count: int) -> list[bytes]:
    """Lines that are told apart by their users."""
    return [format_line(AccountCreated(now(), first_user + number)) for number in range(count)]


def publish(
    producer: KafkaProducer, topic: str, lines: Sequence[bytes | None], partition: int = 0
) -> None:
    """Have the broker take these lines."""
    for line in lines:
        producer.send(topic, line, partition=partition, key=None if line else b"key")
    producer.flush()


@contextmanager
def producing(servers: str, **options: object) -> Iterator[KafkaProducer]:
    """A producer, closed afterwards."""
    producer = KafkaProducer(bootstrap_servers=servers, linger_ms=5, **options)
    try:
        yield producer
    finally:
        producer.close()


@contextmanager
def running(settings: IngestSettings, conninfo: str) -> Iterator[Event]:
    """Land the topic meanwhile; yields what is set when it ended, raises what ended it."""
    stop, over, errors = Event(), Event(), []

    def work() -> None:
        try:
            run(settings, conninfo, now, stop)
        except Exception as error:  # noqa: BLE001 -- raised below
            errors.append(error)
        finally:
            over.set()

    thread = Thread(target=work)
    thread.start()
    try:
        yield over
    finally:
        stop.set()
        thread.join()
    for error in errors:
        raise error


def next_offset(owner: str, partition: int = 0) -> int | None:
    """Up to where a partition has landed; None where it was not begun."""
    with psycopg.connect(owner) as connection:
        row = connection.execute(
            "SELECT next_offset FROM stream_offset WHERE log_partition = %s", (partition,)
        ).fetchone()
    return row and row[0]


def landed_users(owner: str) -> list[int]:
    """The users of the accounts that landed, in the order of the stream."""
    with psycopg.connect(owner) as connection:
        rows = connection.execute("SELECT user_id FROM account ORDER BY log_partition, log_offset")
        return [user for (user,) in rows.fetchall()]


def refused_lines(owner: str) -> list[str]:
    """Why lines were refused, in the order of the stream."""
    with psycopg.connect(owner) as connection:
        rows = connection.execute("SELECT reason FROM reject ORDER BY log_partition, log_offset")
        return [reason for (reason,) in rows.fetchall()]

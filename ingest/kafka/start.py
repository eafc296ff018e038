"""Where reading begins: at the stored offsets, or in a new partition where the settings say."""

from collections.abc import Collection
from datetime import datetime

import psycopg
import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import UnknownTopicOrPartitionError

from ingest.errors import OutsideLogError, WrongTopicError
from ingest.kafka.broker import topic_id
from ingest.kafka.shifts import next_at_broker
from ingest.offsets import is_another_topic, store_first_offsets, stored_offsets
from ingest.settings import IngestSettings, Start

LOG = structlog.get_logger()


def start_positions(
    consumer: KafkaConsumer, connection: psycopg.Connection, settings: IngestSettings
) -> dict[int, int]:
    """The broker's next offset of each partition of the topic; those that are new are begun.

    Raises:
        WrongTopicError: what is stored is of another topic, or of one that was made anew.
        OutsideLogError: an offset to begin at is none that the broker has.
        UnknownTopicOrPartitionError: there is no such topic.
    """
    topic = settings.kafka_topic
    in_topic = consumer.partitions_for_topic(topic)
    if not in_topic:
        raise UnknownTopicOrPartitionError(f"there is no topic {topic}")
    identity = topic_id(settings)
    stored = stored_offsets(connection, topic)
    _check_identity(connection, topic, identity, in_topic)
    if unseen := [TopicPartition(topic, number) for number in in_topic - stored.keys()]:
        # lines in a partition added later are all new, wherever the first ones were begun
        start = "earliest" if stored else settings.start_from
        first = _first_offsets(consumer, unseen, start)
        store_first_offsets(connection, topic, first, identity)
    next_offsets = next_at_broker(connection, topic)
    positions = {number: next_offsets[number] for number in in_topic}
    LOG.info("reading", topic=topic, positions=positions)
    return positions


def _check_identity(
    connection: psycopg.Connection, topic: str, identity: str, in_topic: Collection[int]
) -> None:
    if identity and is_another_topic(connection, identity, in_topic):
        raise WrongTopicError(
            f"the topic {topic} was deleted and made anew since it was read: its offsets begin"
            " again and would be taken for the old ones; `python -m ingest accept-new-topic` goes"
            " on with it"
        )


def _first_offsets(
    consumer: KafkaConsumer, partitions: list[TopicPartition], start: Start
) -> dict[int, int]:
    begin, end = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
    if start == "earliest":
        return {at.partition: begin[at] for at in partitions}
    if start == "latest":
        return {at.partition: end[at] for at in partitions}
    if isinstance(start, datetime):
        asked = dict.fromkeys(partitions, int(start.timestamp() * 1000))
        found = consumer.offsets_for_times(asked)
        return {at.partition: found[at].offset if found[at] else end[at] for at in partitions}
    for at in partitions:
        if not begin[at] <= start <= end[at]:
            raise OutsideLogError(
                f"partition {at.partition} cannot begin at offset {start}:"
                f" the broker has {begin[at]} to {end[at]}"
            )
    return {at.partition: start for at in partitions}

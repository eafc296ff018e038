"""Compressed topics: our own broker takes every codec, and ingest reads each."""

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from tests.integration.ingesting import accounts, landed_users, producing, publish, running
from tests.waiting import eventually

CODECS = ("gzip", "snappy", "lz4", "zstd")


@pytest.mark.parametrize("codec", CODECS)
def test_lines_that_a_publisher_compressed_land(
    ingest_settings, conninfo, topic, kafka_servers, codec
):
    with producing(kafka_servers, compression_type=codec) as producer:
        publish(producer, topic, accounts(1, 500))
    with running(ingest_settings, conninfo("ingest")):
        eventually(lambda: landed_users(conninfo("marquee")) == list(range(1, 501)))


@pytest.mark.parametrize("codec", CODECS)
def test_lines_that_the_broker_compressed_land(
    ingest_settings, conninfo, topic, kafka_servers, codec
):
    compress_at_broker(kafka_servers, topic, codec)
    with producing(kafka_servers) as producer:
        publish(producer, topic, accounts(1, 500))
    with running(ingest_settings, conninfo("ingest")):
        eventually(lambda: landed_users(conninfo("marquee")) == list(range(1, 501)))


def compress_at_broker(servers: str, topic: str, codec: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=servers)
    try:
        admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic, configs={"compression.type": codec})]
        )
    finally:
        admin.close()

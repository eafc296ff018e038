"""A broker whose disk is full stops, waits for room, and then has every line that it had."""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError

from tests.engine import docker
from tests.ports import free_port
from tests.waiting import eventually

IMAGES = os.environ.get("IMAGE_PREFIX", "marquee-test")
TOPIC = "lines"
LINES = 1_000
SIZE = "400m"

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Disk:
    """A small file system in memory, which stays while `keeper` runs."""

    volume: str
    keeper: str

    def fill(self) -> None:
        docker("exec", self.keeper, "sh", "-c", "cat /dev/zero > /disk/filler 2> /dev/null || :")

    def free(self) -> None:
        docker("exec", self.keeper, "rm", "/disk/filler")


@dataclass(frozen=True)
class Broker:
    """One that the engine starts again whenever it ends."""

    container: str
    servers: str

    def lines(self) -> int:
        """How many lines it has; none while it does not answer."""
        try:
            consumer = KafkaConsumer(bootstrap_servers=self.servers)
        except KafkaError:
            return 0
        try:
            at = TopicPartition(TOPIC, 0)
            return int(consumer.end_offsets([at])[at])
        except KafkaError:
            return 0
        finally:
            consumer.close()

    def takes(self, line: bytes) -> bool:
        """Whether it acknowledges one more line."""
        try:
            producer = KafkaProducer(bootstrap_servers=self.servers, retries=0)
        except KafkaError:
            return False
        try:
            producer.send(TOPIC, line, partition=0).get(timeout=10)
        except KafkaError:
            return False
        finally:
            producer.close(timeout=1)
        return True

    def waits_for_room(self) -> bool:
        return "waiting for room" in docker("logs", "--tail", "1", self.container)


@pytest.fixture
def disk() -> Iterator[Disk]:
    volume = f"marquee-test-disk-{uuid.uuid4().hex[:8]}"
    in_memory = ("--opt=type=tmpfs", "--opt=device=tmpfs", f"--opt=o=size={SIZE},uid=1000,gid=1000")
    docker("volume", "create", *in_memory, volume)
    mount = f"--volume={volume}:/disk"
    keeper = docker("run", "--detach", "--init", mount, f"{IMAGES}/tests", "sleep", "infinity")
    yield Disk(volume, keeper.strip())
    docker("rm", "--force", keeper.strip())
    docker("volume", "rm", volume)


@pytest.fixture
def broker(disk: Disk) -> Iterator[Broker]:
    port = free_port()
    container = docker(
        *("run", "--detach", "--init", "--restart=unless-stopped", "--user=1000:1000"),
        *(f"--publish=127.0.0.1:{port}:9092", f"--env=KAFKA_PORT={port}"),
        *(f"--volume={disk.volume}:/var/lib/kafka/data", f"{IMAGES}/kafka", "start-kafka"),
    ).strip()
    yield Broker(container, f"localhost:{port}")
    docker("rm", "--force", container)


def make_topic(broker: Broker) -> bool:
    try:
        admin = KafkaAdminClient(bootstrap_servers=broker.servers)
    except KafkaError:
        return False
    admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    admin.close()
    return True


def test_a_broker_that_was_started_on_a_full_disk_has_every_line_when_there_is_room(disk, broker):
    eventually(lambda: make_topic(broker), 120, "a broker")
    with KafkaProducer(bootstrap_servers=broker.servers) as producer:
        for _ in range(LINES):
            producer.send(TOPIC, b"a line", partition=0)
        producer.flush()
    assert broker.lines() == LINES

    disk.fill()
    eventually(lambda: not broker.takes(bytes(100_000)), 120, "a broker that refuses")
    eventually(broker.waits_for_room, 240, "a broker that waits for room")
    disk.free()

    eventually(lambda: broker.takes(b"a line"), 120, "a broker that takes lines again")
    assert broker.lines() > LINES

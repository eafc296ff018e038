"""What a broker loses when the power is cut, for `power_cut.sh`, which plays the disk.

python -m tests.drill.power_cut publish SERVERS CONTAINER
python -m tests.drill.power_cut lost SERVERS ACKNOWLEDGED
"""

import time

import typer
from kafka import KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from ingest.kafka.broker import KafkaSettings, asking
from tests.drill.containers import await_kafka
from tests.drill.line import administration
from tests.engine import docker

TOPIC = "power"
LINES_A_SECOND = 1_000
SECONDS = 20
PROMISED_SECONDS = 1.0

app = typer.Typer()


@app.command()
def publish(servers: str, container: str) -> None:
    """Publish evenly, each line acknowledged, and kill the broker; prints how many there were."""
    await_kafka(servers)
    with administration(servers) as admin:
        admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    producer = KafkaProducer(bootstrap_servers=servers, linger_ms=5, acks="all")
    begun = time.monotonic()
    sent = []
    for number in range(LINES_A_SECOND * SECONDS):
        time.sleep(max(0.0, begun + number / LINES_A_SECOND - time.monotonic()))
        sent.append(producer.send(TOPIC, b"line %d" % number, partition=0))
    producer.flush()
    docker("kill", container)
    print(sent[-1].get().offset + 1)  # noqa: T201 -- to the script


@app.command()
def lost(servers: str, acknowledged: int) -> None:
    """Print how much of what was acknowledged the broker has no more; more than a second fails."""
    await_kafka(servers)
    with asking(KafkaSettings(kafka_servers=servers)) as consumer:
        at = TopicPartition(TOPIC, 0)
        end = consumer.end_offsets([at])[at]
    seconds = (acknowledged - end) / LINES_A_SECOND
    print(f"{acknowledged - end:,} of {acknowledged:,} lines lost: {seconds:.2f} s")  # noqa: T201 -- the report
    if seconds > PROMISED_SECONDS:
        raise typer.Exit(1)


if __name__ == "__main__":
    app()

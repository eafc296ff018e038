import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.request import urlopen

import pytest
from kafka import KafkaConsumer, TopicPartition

from ingest.lines.grammar import Rejected, Requested, Watched, parse

LIST = ("the+godfather+1972", "pulp+fiction+1994", "toy+story+1995")


class Recommender(BaseHTTPRequestHandler):
    """Answers every user with the same three movies."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = ",".join(LIST).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Keep the test's output clean."""


@pytest.fixture
def recommender():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Recommender)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def a_free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def simulator(folder, topic, kafka_servers, recommender_url):
    """A lively simulator; its metadata port, its heartbeat file and, in the end, its exit."""
    port = a_free_port()
    environment = {
        "KAFKA_SERVERS": kafka_servers,
        "KAFKA_TOPIC": topic,
        "RECOMMENDER_URL": recommender_url,
        "RATE": "400",
        "TIME_LAPSE": "600",
        "DAMAGED_SHARE": "0",
        "METADATA_PORT": str(port),
        "METRICS_PORT": str(a_free_port()),
        "HEARTBEAT_FILE": str(folder / "heartbeat"),
    }
    command = [sys.executable, "-m", "compose.simulator", "run"]
    with subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL
    ) as process:
        try:
            wait_until((folder / "heartbeat").exists)
            yield port
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()


def wait_until(what, seconds=40):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


class Topic:
    """Reads a topic as it grows."""

    def __init__(self, kafka_servers, topic):
        self.consumer = KafkaConsumer(
            bootstrap_servers=kafka_servers, auto_offset_reset="earliest", group_id=None
        )
        self.consumer.assign([TopicPartition(topic, number) for number in (0, 1)])
        self.partitions = set()
        self.events = []

    def holds(self, wanted):
        for partition, records in self.consumer.poll(timeout_ms=200).items():
            self.partitions.add(partition.partition)
            self.events += [parse(record.value) for record in records]
        return wanted(self.events)


@pytest.fixture
def stream(kafka_servers, topic):
    reading = Topic(kafka_servers, topic)
    yield reading
    reading.consumer.close()


def test_people_ask_and_watch_what_they_are_told_of(
    tmp_path, topic, kafka_servers, recommender, stream
):
    with simulator(tmp_path, topic, kafka_servers, recommender):
        wait_until(
            lambda: (
                stream.holds(
                    lambda events: any(
                        isinstance(e, Watched) and e.movie_id in LIST for e in events
                    )
                )
                and stream.partitions == {0, 1}
            )
        )
    requests = [event for event in stream.events if isinstance(event, Requested)]
    assert {request.movie_ids for request in requests} == {LIST}
    assert not [event for event in stream.events if isinstance(event, Rejected)]


def test_people_go_on_watching_while_the_recommender_is_gone(
    tmp_path, topic, kafka_servers, stream
):
    with simulator(tmp_path, topic, kafka_servers, "http://127.0.0.1:1"):
        wait_until(lambda: stream.holds(lambda events: len(events) > 200))
    requests = [event for event in stream.events if isinstance(event, Requested)]
    assert {one.status for one in requests} == {0}
    # a machine with much else to do may need longer than people wait to refuse some
    assert "java.net.ConnectException: Connection refused" in {one.error for one in requests}
    assert any(isinstance(event, Watched) for event in stream.events)


def test_lines_written_before_kafka_is_there_arrive_when_it_is(
    tmp_path, topic, kafka_servers, recommender, stream
):
    port = a_free_port()
    with simulator(tmp_path, topic, f"127.0.0.1:{port}", recommender):
        time.sleep(4)
        with a_way_to(kafka_servers, port):
            wait_until(lambda: stream.holds(lambda events: len(events) > 200))


def test_it_stops_in_time_where_kafka_never_answers(tmp_path, recommender):
    with simulator(tmp_path, "any", "127.0.0.1:1", recommender):
        time.sleep(1)


def test_the_metadata_of_a_movie_that_is_recommended_can_be_asked_for(
    tmp_path, topic, kafka_servers, recommender
):
    with simulator(tmp_path, topic, kafka_servers, recommender) as port:
        with urlopen(f"http://127.0.0.1:{port}/movie/{','.join(LIST)}") as response:
            movies = json.load(response)
        with urlopen(f"http://127.0.0.1:{port}/user/1,610,611") as response:
            users = json.load(response)
    assert [movie["id"] for movie in movies] == list(LIST)
    assert users[2] == {"message": "user not found"}


@contextmanager
def a_way_to(address, port):
    """Forward a local port to a Kafka broker, which then tells its own address."""
    host, _, kafka_port = address.partition(":")

    class Forwarder(socketserver.BaseRequestHandler):
        def handle(self):
            with socket.create_connection((host, int(kafka_port))) as broker:
                back = Thread(target=pump, args=(broker, self.request), daemon=True)
                back.start()
                pump(self.request, broker)
                broker.shutdown(socket.SHUT_RDWR)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", port), Forwarder) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever).start()
        try:
            yield
        finally:
            server.shutdown()


def pump(source, sink):
    with suppress(OSError):
        while received := source.recv(65536):
            sink.sendall(received)

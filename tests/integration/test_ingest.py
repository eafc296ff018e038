import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Self

import psycopg
import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewPartitions, NewTopic
from typer.testing import CliRunner

from ingest.__main__ import app
from ingest.audit.audit import audit
from ingest.errors import (
    FencedError,
    LostOffsetsError,
    OutsideLogError,
    TruncatedLogError,
    WrongTopicError,
)
from ingest.landing.admission_rules import KNOWLEDGE_AGE, AdmissionRules
from ingest.landing.consumer import run
from ingest.landing.transaction import Landing, connect
from ingest.lines.grammar import (
    ONE_TO_FIVE,
    AccountCreated,
    Rated,
    Requested,
    Watched,
    format_line,
    format_time,
)
from ingest.lines.slices import Slice
from ingest.offsets import store_first_offsets
from ingest.settings import IngestSettings
from tests.stores import service_environment

TABLES = ("watch", "rating", "recommendation_request", "account", "reject", "duplicate")


def now() -> datetime:
    return datetime.now(UTC)


def seeded_lines(count: int, seed: int) -> list[bytes]:
    """Watches, ratings, requests, accounts and damaged lines of the last hour."""
    draw = random.Random(seed)
    begin = now() - timedelta(hours=1)
    lines = []
    for number in range(count):
        at = begin + timedelta(seconds=number * 3600 / count)
        user, movie = draw.randrange(1, 10_000), f"movie+{draw.randrange(500)}+1999"
        event = draw.choices(
            [
                Watched(at, user, movie, draw.randrange(200)),
                Rated(at, user, movie, float(draw.randint(1, 5))),
                Requested(at, user, "host:8082", 200, (movie, "up+2009"), None, 12),
                AccountCreated(at, user),
            ],
            weights=[90, 5, 3, 2],
        )[0]
        line = format_line(event)
        lines.append(line if draw.random() > 0.001 else line[:10] + b"\xff" + line[10:])
    return lines


def produce(kafka_servers: str, topic: str, lines: list[bytes], partitions: int = 2) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka_servers, linger_ms=20)
    for number, line in enumerate(lines):
        producer.send(topic, line, partition=number % partitions)
    producer.flush()
    producer.close()


@pytest.fixture
def settings(kafka_servers, topic, tmp_path):
    return IngestSettings(
        database_user="ingest",
        database_passfile=tmp_path / "password",
        heartbeat_file=tmp_path / "heartbeat",
        kafka_servers=kafka_servers,
        kafka_topic=topic,
        batch_time=timedelta(seconds=0.1),
    )


class Running:
    """`consumer.run` in a thread; leaving the block stops it and hands on its error."""

    def __init__(self, settings: IngestSettings, conninfo: str) -> None:
        self.stop = Event()
        self.error: Exception | None = None
        self.thread = Thread(target=self._run, args=(settings, conninfo))

    def _run(self, settings: IngestSettings, conninfo: str) -> None:
        try:
            run(settings, conninfo, now, self.stop)
        except Exception as error:  # noqa: BLE001 -- raised again by __exit__
            self.error = error

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()
        if self.error:
            raise self.error


def positions(owner: str) -> list[tuple[int, int]]:
    """(Kafka partition, offset) of each row in any table, sorted."""
    union = " UNION ALL ".join(f"SELECT log_partition, log_offset FROM {t}" for t in TABLES)
    with psycopg.connect(owner) as connection:
        return connection.execute(f"{union} ORDER BY 1, 2").fetchall()


def wait_for_rows(owner: str, count: int, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    sums = " + ".join(f"(SELECT count(*) FROM {table})" for table in TABLES)
    with psycopg.connect(owner, autocommit=True) as connection:
        while time.monotonic() < until:
            if connection.execute(f"SELECT {sums}").fetchone()[0] >= count:
                return
            time.sleep(0.05)
    pytest.fail(f"not {count} rows within {seconds} s")


def each_once(count: int, partitions: int = 2) -> list[tuple[int, int]]:
    """Every offset of a topic to which `count` lines went in turns."""
    return sorted((number % partitions, number // partitions) for number in range(count))


def test_each_line_becomes_one_row(settings, conninfo, topic, kafka_servers):
    produce(kafka_servers, topic, seeded_lines(5000, seed=1))
    with Running(settings, conninfo("ingest")):
        wait_for_rows(conninfo("marquee"), 5000)
    assert positions(conninfo("marquee")) == each_once(5000)


def test_a_row_says_what_the_line_said(settings, conninfo, topic, kafka_servers):
    at = now().replace(microsecond=123000)
    lines = [
        Watched(at, 1, "up+2009", 7),
        Rated(at, 2, "alien+1979", 4.0),
        Requested(at, 3, "host:8082", 200, ("null", "up+2009"), None, 12),
        Requested(at, 4, "host:8082", 0, (), 'a\\b "c", é', 800),
        AccountCreated(at, 5),
    ]
    produce(kafka_servers, topic, [format_line(event) for event in lines], partitions=1)
    with Running(settings, conninfo("ingest")):
        wait_for_rows(conninfo("marquee"), 5)
    with psycopg.connect(conninfo("marquee")) as connection:
        found = [
            connection.execute(f"SELECT * FROM {table} ORDER BY log_offset").fetchall()
            for table in ("watch", "rating", "recommendation_request", "account")
        ]
    assert found == [
        [(at, 1, "up+2009", 7, 0, 0)],
        [(at, 2, "alien+1979", 4.0, 0, 1)],
        [
            (at, 3, "host:8082", 200, ["null", "up+2009"], None, 12, 0, 2),
            (at, 4, "host:8082", 0, [], 'a\\b "c", é', 800, 0, 3),
        ],
        [(at, 5, 0, 4)],
    ]


def test_zones_and_endings_are_understood(settings, conninfo, topic, kafka_servers):
    at = now().replace(microsecond=0, second=7)
    text = format_time(at).encode()
    ahead = format_time(at + timedelta(hours=5, minutes=30)).encode()
    lines = [
        text + b"Z,1,GET /data/m/up+2009/7.mpg",
        ahead + b"+05:30,2,GET /data/m/up+2009/7.mpg\n",
        ahead + b"+0530,3,GET /rate/up+2009=4\r\n",
        text + b",1,GET /create_account\n",
        text + b",1,GET /create_account",
    ]
    produce(kafka_servers, topic, lines, partitions=1)
    with Running(settings, conninfo("ingest")):
        wait_for_rows(conninfo("marquee"), len(lines))
    with psycopg.connect(conninfo("marquee")) as connection:
        watches = connection.execute("SELECT user_id, time FROM watch ORDER BY 1").fetchall()
        ratings = connection.execute("SELECT user_id, time FROM rating").fetchall()
        accounts = connection.execute("SELECT time FROM account").fetchall()
    assert (watches, ratings, accounts) == ([(1, at), (2, at)], [(3, at)], [(at,)])
    assert doubled(conninfo("marquee")) == [(0, 4, 0, 3)]


def test_lines_that_are_no_events_are_kept_with_the_reason(
    settings, conninfo, topic, kafka_servers
):
    year = f"{now().year}"
    lines = [
        b"\xff\xfe",
        b"2001-01-01T10:00,1,GET /create_account",
        b"2999-01-01T10:00,1,GET /data/m/up+2009/1.mpg",
        f"{year}-01-01T10:00,1,GET /rate/up+2009=9".encode(),
        b"",
        b"x" * 5000,
    ]
    produce(kafka_servers, topic, lines, partitions=1)
    with Running(settings, conninfo("ingest")):
        wait_for_rows(conninfo("marquee"), len(lines))
    with psycopg.connect(conninfo("marquee")) as connection:
        found = connection.execute("SELECT reason, raw FROM reject ORDER BY log_offset").fetchall()
    reasons = ["bad_encoding", "expired", "future", "bad_rating", "no_line", "over_long"]
    assert found == [(why, line[:4096]) for why, line in zip(reasons, lines, strict=True)]


def damaged(line: bytes, draw: random.Random) -> bytes:
    """The line with some random bytes and characters put in."""
    for _ in range(draw.randrange(3)):
        place = draw.randrange(len(line) + 1)
        odd = draw.choice([draw.randbytes(2), chr(draw.randrange(0x3000)).encode(), b"\\", b"\t"])
        line = line[:place] + odd + line[place:]
    return line


def test_poison_lines_neither_stop_a_batch_nor_get_lost(conninfo, topic):
    draw = random.Random(3)
    lines = [damaged(line, draw) for line in seeded_lines(20_000, seed=3)]
    with connect(conninfo("ingest")) as connection:
        store_first_offsets(connection, topic, {0: 0})
        land(landing_on(connection, topic), [Slice(0, 0, lines)])
        assert [partition.balanced for partition in audit(connection, now())] == [True]


def test_a_stream_can_be_begun_at_its_end(settings, conninfo, topic, kafka_servers):
    produce(kafka_servers, topic, seeded_lines(100, seed=1))
    settings = settings.model_copy(update={"start_from": "latest"})
    with Running(settings, conninfo("ingest")):
        with psycopg.connect(conninfo("marquee"), autocommit=True) as connection:
            while connection.execute("SELECT count(*) FROM stream_offset").fetchone() != (2,):
                time.sleep(0.05)
        produce(kafka_servers, topic, seeded_lines(10, seed=2))
        wait_for_rows(conninfo("marquee"), 10)
    assert positions(conninfo("marquee")) == [(p, n) for p in (0, 1) for n in range(50, 55)]


def test_a_stream_can_be_begun_at_an_offset(settings, conninfo, topic, kafka_servers):
    produce(kafka_servers, topic, seeded_lines(100, seed=1))
    settings = settings.model_copy(update={"start_from": 48})
    with Running(settings, conninfo("ingest")):
        wait_for_rows(conninfo("marquee"), 4)
    assert positions(conninfo("marquee")) == [(0, 48), (0, 49), (1, 48), (1, 49)]


def test_an_offset_that_the_broker_does_not_have_is_no_beginning(
    settings, conninfo, topic, kafka_servers
):
    produce(kafka_servers, topic, seeded_lines(10, seed=1))
    settings = settings.model_copy(update={"start_from": 6})
    with pytest.raises(OutsideLogError, match="the broker has 0 to 5"):
        run(settings, conninfo("ingest"), now, Event())


def test_a_stream_can_be_begun_at_a_time(settings, conninfo, topic, kafka_servers):
    produce(kafka_servers, topic, seeded_lines(10, seed=1))
    time.sleep(0.02)
    settings = settings.model_copy(update={"start_from": now()})
    time.sleep(0.02)
    produce(kafka_servers, topic, seeded_lines(4, seed=2))
    with Running(settings, conninfo("ingest")):
        wait_for_rows(conninfo("marquee"), 4)
    assert positions(conninfo("marquee")) == [(0, 5), (0, 6), (1, 5), (1, 6)]


def test_a_topic_that_was_made_anew_is_refused_however_many_lines_it_has(settings, conninfo, topic):
    with psycopg.connect(conninfo("marquee")) as connection:
        store_first_offsets(connection, topic, {0: 0, 1: 0}, "another id")
    with pytest.raises(WrongTopicError, match="made anew"):
        run(settings, conninfo("ingest"), now, Event())


def remake(kafka_servers: str, topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka_servers)
    admin.delete_topics([topic])
    while topic in admin.list_topics():
        time.sleep(0.1)
    admin.create_topics([NewTopic(topic, num_partitions=2, replication_factor=1)])
    admin.close()


@pytest.mark.usefixtures("environment")
def test_a_topic_that_was_made_anew_goes_on_after_the_old_one_once_accepted(
    settings, conninfo, topic, kafka_servers
):
    produce(kafka_servers, topic, seeded_lines(10, seed=1))
    with Running(settings, conninfo("ingest")):
        wait_for_rows(conninfo("marquee"), 10)
    remake(kafka_servers, topic)
    produce(kafka_servers, topic, seeded_lines(20, seed=2))
    with pytest.raises(WrongTopicError, match="accept-new-topic"):
        run(settings, conninfo("ingest"), now, Event())
    told = CliRunner().invoke(app, ["accept-new-topic", "the disk was lost"])
    assert "partition 1: offset 0 is stored as 5" in told.stdout
    for count in (30, 40):  # the second time its stored offsets are read
        with Running(settings, conninfo("ingest")):
            wait_for_rows(conninfo("marquee"), count)
        assert positions(conninfo("marquee")) == each_once(count)
        produce(kafka_servers, topic, seeded_lines(10, seed=count))
    again = CliRunner().invoke(app, ["accept-new-topic", "why not"])
    assert again.stdout.startswith("nothing to accept")
    with psycopg.connect(conninfo("ingest"), autocommit=True) as connection:
        assert [partition.balanced for partition in audit(connection, now())] == [True, True]
        renewals = connection.execute(
            "SELECT log_partition, offset_shift, reason FROM stream_renewal"
        )
        assert sorted(renewals) == [(0, 5, "the disk was lost"), (1, 5, "the disk was lost")]


def test_a_partition_added_to_the_topic_is_read_from_its_beginning(
    settings, conninfo, topic, kafka_servers
):
    produce(kafka_servers, topic, seeded_lines(10, seed=1))
    with Running(settings, conninfo("ingest")):
        wait_for_rows(conninfo("marquee"), 10)
        admin = KafkaAdminClient(bootstrap_servers=kafka_servers)
        admin.create_partitions({topic: NewPartitions(total_count=3)})
        admin.close()
        time.sleep(1)
        produce(kafka_servers, topic, seeded_lines(9, seed=2), partitions=3)
        wait_for_rows(conninfo("marquee"), 19)
    assert [at for at in positions(conninfo("marquee")) if at[0] == 2] == [(2, 0), (2, 1), (2, 2)]


def landing_on(connection: psycopg.Connection, topic: str) -> Landing:
    return Landing(connection, topic, AdmissionRules(connection, ONE_TO_FIVE, timedelta(minutes=5)))


def land(landing: Landing, batch: list[Slice]) -> None:
    landing.land(landing.prepare(batch, now()), now())


def test_a_batch_that_does_not_begin_at_the_stored_offset_is_refused(conninfo, topic):
    with connect(conninfo("ingest")) as connection:
        store_first_offsets(connection, topic, {0: 10})
        with pytest.raises(FencedError):
            land(landing_on(connection, topic), [Slice(0, 9, [b"x", b"y"])])
    assert positions(conninfo("marquee")) == []


def test_the_batch_of_a_consumer_that_slept_is_refused(conninfo, topic):
    with connect(conninfo("ingest")) as early, connect(conninfo("ingest")) as late:
        store_first_offsets(early, topic, {0: 0})
        land(landing_on(early, topic), [Slice(0, 0, [b"x", b"y"])])
        with pytest.raises(FencedError):
            land(landing_on(late, topic), [Slice(0, 0, [b"x"])])
    assert positions(conninfo("marquee")) == [(0, 0), (0, 1)]


def test_a_batch_lands_although_a_partition_it_knew_was_dropped(conninfo, topic):
    old = now() - timedelta(days=13)
    line = format_line(Watched(old, 1, "up+2009", 7))
    with connect(conninfo("ingest")) as connection, connect(conninfo("marquee")) as owner:
        landing = landing_on(connection, topic)
        store_first_offsets(connection, topic, {0: 0})
        land(landing, [Slice(0, 0, [line])])
        prepared = landing.prepare([Slice(0, 1, [line])], now())
        owner.execute(f"DROP TABLE watch_{old:%Y%m%d}t000000")
        landing.land(prepared, now())
        assert owner.execute("SELECT reason FROM reject").fetchall() == [("expired",)]


def test_a_batch_is_judged_by_what_is_known_when_it_lands(conninfo, topic):
    old = now() - timedelta(days=13)
    line = format_line(Watched(old, 1, "up+2009", 7))
    with connect(conninfo("ingest")) as connection, connect(conninfo("marquee")) as owner:
        admission = AdmissionRules(connection, ONE_TO_FIVE, timedelta(minutes=5))
        landing = Landing(connection, topic, admission)
        store_first_offsets(connection, topic, {0: 0})
        first, second = (landing.prepare([Slice(0, at, [line])], now()) for at in range(2))
        owner.execute(f"DROP TABLE watch_{old:%Y%m%d}t000000")
        admission.know(now() + KNOWLEDGE_AGE)
        landing.land(first, now())
        landing.land(second, now())
        refused = owner.execute("SELECT reason, log_offset FROM reject ORDER BY 2").fetchall()
    assert refused == [("expired", 0), ("expired", 1)]


def doubled(owner: str) -> list[tuple[int, ...]]:
    with psycopg.connect(owner) as connection:
        return connection.execute(
            "SELECT log_partition, log_offset, first_partition, first_offset FROM duplicate"
            " ORDER BY 1, 2"
        ).fetchall()


def test_a_line_published_twice_lands_once_and_is_accounted_for(
    settings, conninfo, topic, kafka_servers
):
    lines = [b"no line of ours", *seeded_lines(10, seed=1)]
    produce(kafka_servers, topic, [*lines, *lines[:2]], partitions=1)
    with Running(settings, conninfo("ingest")):
        wait_for_rows(conninfo("marquee"), 13)
    assert doubled(conninfo("marquee")) == [(0, 11, 0, 0), (0, 12, 0, 1)]
    with psycopg.connect(conninfo("retention"), autocommit=True) as connection:
        assert [partition.balanced for partition in audit(connection, now())] == [True, True]


def test_doubles_are_still_found_after_a_restart(settings, conninfo, topic, kafka_servers):
    lines = seeded_lines(10, seed=1)
    produce(kafka_servers, topic, lines, partitions=1)
    with Running(settings, conninfo("ingest")):
        wait_for_rows(conninfo("marquee"), 10)
    produce(kafka_servers, topic, lines[3:5], partitions=1)
    with Running(settings, conninfo("ingest")):
        wait_for_rows(conninfo("marquee"), 12)
    assert doubled(conninfo("marquee")) == [(0, 10, 0, 3), (0, 11, 0, 4)]


def test_doubles_in_another_partition_are_found_by_their_keys(conninfo, topic):
    lines = seeded_lines(10, seed=1)
    with connect(conninfo("ingest")) as connection:
        landing = Landing(
            connection,
            topic,
            AdmissionRules(connection, ONE_TO_FIVE, timedelta(minutes=5)),
            across_partitions=True,
        )
        store_first_offsets(connection, topic, {0: 0, 1: 0})
        land(landing, [Slice(0, 0, lines)])
        land(landing, [Slice(1, 0, [lines[7], *seeded_lines(5, seed=2)]), Slice(0, 10, lines[:1])])
        assert [partition.balanced for partition in audit(connection, now())] == [True, True]
    assert doubled(conninfo("marquee")) == [(0, 10, 0, 0), (1, 0, 0, 7)]


def test_two_that_land_the_same_line_at_once_keep_one_of_them(conninfo, topic):
    line = seeded_lines(1, seed=1)
    with connect(conninfo("ingest")) as one, connect(conninfo("ingest")) as other:
        store_first_offsets(one, topic, {0: 0, 1: 0})

        def land_line(number: int, connection: psycopg.Connection) -> None:
            landing = Landing(
                connection,
                topic,
                AdmissionRules(connection, ONE_TO_FIVE, timedelta(minutes=5)),
                across_partitions=True,
            )
            land(landing, [Slice(number, 0, line)])

        with one.transaction():
            land_line(0, one)
            waiting = Thread(target=land_line, args=(1, other))
            waiting.start()
        waiting.join()
    assert doubled(conninfo("marquee")) == [(1, 0, 0, 0)]


def test_two_consumers_at_once_lose_and_double_nothing(settings, conninfo, topic, kafka_servers):
    settings = settings.model_copy(update={"batch_lines": 500})
    with Running(settings, conninfo("ingest")), Running(settings, conninfo("ingest")):
        for seed in range(10):
            produce(kafka_servers, topic, seeded_lines(1000, seed))
        wait_for_rows(conninfo("marquee"), 10_000)
    assert positions(conninfo("marquee")) == each_once(10_000)


def test_a_consumer_that_paused_inside_a_copy_does_not_keep_its_partition(
    settings, conninfo, topic, kafka_servers
):
    with connect(conninfo("ingest")) as paused, paused.cursor() as cursor:
        store_first_offsets(paused, topic, {0: 0, 1: 0})
        paused.execute("BEGIN")
        paused.execute("SELECT FROM stream_offset FOR UPDATE")
        copy = cursor.copy("COPY account (time, user_id, log_partition, log_offset) FROM STDIN")
        copy.__enter__()
        produce(kafka_servers, topic, seeded_lines(100, seed=1))
        with Running(settings, conninfo("ingest")):
            wait_for_rows(conninfo("marquee"), 100)
        with pytest.raises(psycopg.OperationalError, match="terminating connection"):
            copy.__exit__(None, None, None)
    assert positions(conninfo("marquee")) == each_once(100)


def test_another_topic_than_the_stored_one_is_refused(settings, conninfo):
    with psycopg.connect(conninfo("marquee")) as connection:
        store_first_offsets(connection, "other", {0: 0})
    with pytest.raises(WrongTopicError, match="holds the stream other"):
        run(settings, conninfo("ingest"), now, Event())


def test_a_log_that_is_too_short_stops_it_with_its_numbers(
    settings, conninfo, topic, kafka_servers
):
    with psycopg.connect(conninfo("marquee")) as connection:
        store_first_offsets(connection, topic, {0: 5, 1: 0})
    produce(kafka_servers, topic, seeded_lines(2, seed=1))
    with pytest.raises(TruncatedLogError, match="5 is next, the broker has 0 to 1"):
        run(settings, conninfo("ingest"), now, Event())


@pytest.fixture
def environment(settings, conninfo, monkeypatch, tmp_path):
    """What the commands read: this test's stores, with the rights of ingest."""
    for name, value in service_environment(conninfo("ingest"), tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KAFKA_SERVERS", settings.kafka_servers)
    monkeypatch.setenv("KAFKA_TOPIC", settings.kafka_topic)


def lose(kafka_servers: str, topic: str, before: int) -> None:
    """Have the broker forget the lines of partition 0 before an offset."""
    admin = KafkaAdminClient(bootstrap_servers=kafka_servers)
    admin.delete_records({TopicPartition(topic, 0): before})
    admin.close()


@pytest.mark.usefixtures("environment")
def test_an_accepted_loss_is_written_down_and_reading_goes_on(
    settings, conninfo, topic, kafka_servers
):
    with psycopg.connect(conninfo("marquee")) as connection:
        store_first_offsets(connection, topic, {0: 2, 1: 0})
    produce(kafka_servers, topic, seeded_lines(10, seed=1), partitions=1)
    lose(kafka_servers, topic, before=6)
    with pytest.raises(LostOffsetsError, match="4 lines are gone"):
        run(settings, conninfo("ingest"), now, Event())
    told = CliRunner().invoke(app, ["accept-loss", "the broker was full"])
    assert told.stdout == "partition 0: gave up 4 lines, offsets 2 to 5\n"
    with Running(settings, conninfo("ingest")):
        wait_for_rows(conninfo("marquee"), 4)
    with psycopg.connect(conninfo("retention"), autocommit=True) as connection:
        first, second = audit(connection, now())
    assert (first.consumed, first.lost, first.balanced, second.balanced) == (8, 4, True, True)


@pytest.mark.usefixtures("environment")
def test_an_estimate_counts_what_waits_and_leaves_nothing(conninfo, topic, kafka_servers):
    produce(kafka_servers, topic, seeded_lines(30_000, seed=1))
    with psycopg.connect(conninfo("marquee")) as connection:
        store_first_offsets(connection, topic, {0: 5_000})
    told = CliRunner().invoke(app, ["estimate"])
    assert told.stdout.startswith("25,000 lines wait: some 0."), told.output
    assert positions(conninfo("marquee")) == []


@pytest.mark.usefixtures("environment")
def test_lines_of_a_file_can_be_replayed(settings, conninfo, tmp_path):
    file = tmp_path / "stream.log"
    file.write_bytes(b"\n".join(seeded_lines(100, seed=1)))
    assert CliRunner().invoke(app, ["replay", str(file), "--speed", "1e9"]).exit_code == 0
    with Running(settings, conninfo("ingest")):
        wait_for_rows(conninfo("marquee"), 100)


def test_a_connection_is_forwarded_both_ways():
    with socket.create_server(("localhost", 0)) as target, socket.socket() as free:
        free.bind(("localhost", 0))
        listen = f"localhost:{free.getsockname()[1]}"
        free.close()
        to = f"localhost:{target.getsockname()[1]}"
        child = subprocess.Popen([sys.executable, "-m", "ingest", "forward", listen, to])
        try:
            with connected(listen) as here, target.accept()[0] as there:
                here.sendall(b"question")
                assert there.recv(100) == b"question"
                there.sendall(b"answer")
                assert here.recv(100) == b"answer"
        finally:
            child.terminate()
            child.wait()


def connected(address: str) -> socket.socket:
    """A connection to where something will soon listen."""
    host, _, port = address.partition(":")
    until = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection((host, int(port)))
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def test_it_goes_on_after_its_connection_to_postgresql_was_cut(
    settings, conninfo, topic, kafka_servers
):
    with Running(settings, conninfo("ingest")):
        produce(kafka_servers, topic, seeded_lines(1000, seed=1))
        wait_for_rows(conninfo("marquee"), 1000)
        with psycopg.connect(conninfo("marquee"), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        produce(kafka_servers, topic, seeded_lines(1000, seed=2))
        wait_for_rows(conninfo("marquee"), 2000)
    assert positions(conninfo("marquee")) == each_once(2000)


class Process:
    """The real process `python -m ingest run`."""

    def __init__(self, conninfo: str, kafka_servers: str, topic: str, folder: Path) -> None:
        self.environment = os.environ | {
            **service_environment(conninfo, folder),
            "HEARTBEAT_FILE": str(folder / "heartbeat"),
            "METRICS_PORT": "0",
            "KAFKA_SERVERS": kafka_servers,
            "KAFKA_TOPIC": topic,
            "BATCH_LINES": "500",
        }
        self.log = folder / "log"
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("a") as log:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "ingest", "run"], env=self.environment, stdout=log
            )

    def end(self, number: int) -> tuple[int, str]:
        """Send a signal; the exit code and what it logged."""
        self.child.send_signal(number)
        return self.child.wait(timeout=15), self.log.read_text()


@pytest.fixture
def process(conninfo, kafka_servers, topic, tmp_path):
    process = Process(conninfo("marquee"), kafka_servers, topic, tmp_path)
    yield process
    if process.child and process.child.poll() is None:
        process.end(signal.SIGKILL)


def test_killed_again_and_again_it_loses_and_doubles_nothing(
    process, conninfo, topic, kafka_servers
):
    draw = random.Random(7)
    produce(kafka_servers, topic, seeded_lines(50_000, seed=7))
    landed = [0]
    for kill in range(5):
        process.start()
        wait_for_rows(conninfo("marquee"), landed[-1] + 1)
        time.sleep(draw.uniform(0, 0.15))
        process.end(signal.SIGKILL)
        landed.append(len(positions(conninfo("marquee"))))
        assert landed[-1] < 50_000, f"kill {kill} came too late to strike anything"
    process.start()
    wait_for_rows(conninfo("marquee"), 50_000)
    process.end(signal.SIGTERM)
    assert positions(conninfo("marquee")) == each_once(50_000)
    with psycopg.connect(conninfo("ingest"), autocommit=True) as connection:
        assert [partition.balanced for partition in audit(connection, now())] == [True, True]


def test_it_ends_well_when_asked(process, conninfo, topic, kafka_servers):
    produce(kafka_servers, topic, seeded_lines(100, seed=1))
    process.start()
    wait_for_rows(conninfo("marquee"), 100)
    code, logged = process.end(signal.SIGTERM)
    assert code == 0, logged
    assert all(json.loads(line)["service"] == "ingest" for line in logged.splitlines())

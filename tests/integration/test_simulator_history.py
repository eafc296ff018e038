import os
import subprocess
import sys
from datetime import UTC, datetime
from importlib.resources import files

import psycopg
from kafka import KafkaConsumer, TopicPartition

from compose.migrate.__main__ import tell_what_landed
from compose.migrate.topic import TopicSettings
from compose.simulator.history import history_lines, send_history
from compose.simulator.movielens import read_movies, read_ratings, split_by_user
from compose.simulator.people import StreamScale
from ingest.lines.grammar import AccountCreated, Rated, Rejected, parse, rating_scale

HALF_STARS = rating_scale(0.5, 5, 0.5)


def the_topic(kafka_servers, topic):
    """The lines of each partition, in order."""
    partitions = [TopicPartition(topic, number) for number in (0, 1)]
    consumer = KafkaConsumer(bootstrap_servers=kafka_servers, auto_offset_reset="earliest")
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    lines = {partition: [] for partition in partitions}
    while any(len(lines[partition]) < ends[partition] for partition in partitions):
        for partition, records in consumer.poll(timeout_ms=1000).items():
            lines[partition] += [record.value for record in records]
    consumer.close()
    return [lines[partition] for partition in partitions]


def send_by_command(kafka_servers, topic, people=610):
    return subprocess.run(
        [sys.executable, "-m", "compose.simulator", "history"],
        env=os.environ
        | {
            "KAFKA_SERVERS": kafka_servers,
            "KAFKA_TOPIC": topic,
            "RATING_MIN": "0.5",
            "RATING_STEP": "0.5",
            "PEOPLE": str(people),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def small_history():
    folder = files("compose.simulator") / "movielens"
    movies = read_movies(folder)
    sent, _ = split_by_user(read_ratings(folder, movies))
    return history_lines(movies, sent[:300], StreamScale(0.5, 5, 0.5), datetime.now(UTC))


def quietly(_arrived, _total):
    """Show no progress."""


def test_a_larger_town_has_a_past_too(kafka_servers, topic):
    first = send_by_command(kafka_servers, topic, people=700)
    assert (first.returncode, first.stderr) == (0, "")
    events = [
        parse(line, HALF_STARS) for lines in the_topic(kafka_servers, topic) for line in lines
    ]
    assert {type(event) for event in events} == {AccountCreated, Rated}
    accounts = [event.user_id for event in events if isinstance(event, AccountCreated)]
    assert sorted(accounts) == list(range(1, 701))
    assert {event.user_id for event in events if isinstance(event, Rated)} == set(accounts)
    assert " 0 were there" in first.stdout
    assert send_by_command(kafka_servers, topic, people=700).stdout.startswith("history: 0 of")


def test_the_command_sends_the_whole_history_and_a_second_run_nothing(kafka_servers, topic):
    first = send_by_command(kafka_servers, topic)
    assert (first.returncode, first.stderr) == (0, "")
    sent_once = the_topic(kafka_servers, topic)
    second = send_by_command(kafka_servers, topic)
    assert second.returncode == 0
    assert "0 of 81,506 lines sent" in second.stdout
    assert the_topic(kafka_servers, topic) == sent_once

    events = [[parse(line, HALF_STARS) for line in lines] for lines in sent_once]
    both = [event for partition in events for event in partition]
    assert not [event for event in both if isinstance(event, Rejected)]
    assert sum(isinstance(event, AccountCreated) for event in both) == 610
    assert sum(isinstance(event, Rated) for event in both) == 80896
    assert all(partition == sorted(partition, key=lambda e: e.time) for partition in events)
    assert_nothing_held_out(both)


def assert_nothing_held_out(events):
    folder = files("compose.simulator") / "movielens"
    movies = read_movies(folder)
    _, held_out = split_by_user(read_ratings(folder, movies))
    rated = {(event.user_id, event.movie_id) for event in events if isinstance(event, Rated)}
    assert rated.isdisjoint((one.user_id, movies[one.movie].slug) for one in held_out)


def test_a_run_after_an_interruption_sends_what_is_missing(kafka_servers, topic):
    lines = small_history()
    assert send_history(lines[:101], kafka_servers, topic, quietly) == 101
    assert send_history(lines, kafka_servers, topic, quietly) == len(lines) - 101
    assert the_topic(kafka_servers, topic) == [lines[0::2], lines[1::2]]


def test_a_run_after_others_wrote_into_the_topic_sends_nothing_more(kafka_servers, topic):
    lines = small_history()
    send_history([*lines, b"a line of today", b"and one more"], kafka_servers, topic, quietly)
    assert send_history(lines, kafka_servers, topic, quietly) == 0


def test_a_topic_that_is_not_there_is_reported_and_nothing_sent(kafka_servers):
    outcome = send_by_command(kafka_servers, "there-is-no-such-topic")
    assert outcome.returncode == 1
    assert "there is no topic" in outcome.stderr


def test_what_landed_from_a_topic_that_was_lost_is_not_sent_again(kafka_servers, topic, conninfo):
    """As after a restore beside a new broker: the database has it, the topic is empty."""
    lines = small_history()
    with psycopg.connect(conninfo("marquee")) as connection:
        connection.execute(
            "INSERT INTO stream_offset (topic, topic_id, log_partition, first_offset, next_offset)"
            " VALUES (%(topic)s, 'lost', 0, 0, 10), (%(topic)s, 'lost', 1, 0, 1000000)",
            {"topic": topic},
        )
    tell_what_landed(
        conninfo("marquee"), TopicSettings(kafka_servers=kafka_servers, kafka_topic=topic)
    )
    assert send_history(lines, kafka_servers, topic, quietly) == len(lines[0::2]) - 10
    assert the_topic(kafka_servers, topic) == [lines[0::2][10:], []]

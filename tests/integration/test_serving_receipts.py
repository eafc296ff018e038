"""Receipts on a real disk and a real PostgreSQL: each answer's lands, and lands once."""

import json
import os
import re
import shutil
import socket
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql
from uuid_utils import uuid7

from recommender.connection import KeptConnection
from recommender.explanations.explanation import done_since
from recommender.metrics import Metrics
from recommender.receipts.queue import ReceiptQueue, ReceiptWriter
from recommender.receipts.rows import Receipt
from recommender.receipts.spool import Spool
from recommender.receipts.store import ReceiptStore
from tests.integration.serving import Slots, get
from tests.unit.recommender.versions import MOVIES, publish
from tests.waiting import eventually

FIRST, SECOND = "20260101-000000-ease", "20260102-000000-ease"
NOW = datetime.now(UTC)


class Way:
    """A receipt's way, from the queue by way of the spool in a folder to PostgreSQL."""

    def __init__(self, folder, conninfo):
        self.metrics = Metrics()
        self.queue = ReceiptQueue(100_000, self.metrics)
        self.spool = Spool(folder, 2**26)
        self.writer = ReceiptWriter(self.queue, self.spool, "blue")
        self.connection = KeptConnection(conninfo)
        self.store = ReceiptStore(self.connection, "blue", self.spool, self.metrics)

    def put(self, *users, movies=("heat+1995",), at=NOW):
        """Put a receipt for each of these users on the disk; the last is told."""
        for user in users:
            identifier, listed = uuid7(), ",".join(movies)
            receipt = Receipt(identifier, at.timestamp(), user, listed, "model", FIRST, 7, 0.25e-3)
            self.queue.put(receipt)
        self.writer.write_all()
        return receipt

    def dropped(self):
        return self.metrics.registry.get_sample_value("marquee_receipts_dropped_total")


@pytest.fixture
def ways(tmp_path, conninfo):
    """Makes ways over the same disk, as processes that follow each other have them."""
    made = []

    def make():
        made.append(Way(tmp_path, conninfo("recommender")))
        return made[-1]

    yield make
    for way in made:
        way.connection.close()


@pytest.fixture
def way(ways):
    return ways()


@pytest.fixture
def slots(tmp_path, conninfo):
    slots = Slots(tmp_path, conninfo("recommender"))
    publish(slots.models, FIRST)
    yield slots
    slots.end()


def stored_receipts(database, columns="user_id"):
    with psycopg.connect(database) as connection:
        return connection.execute(f"SELECT {columns} FROM receipt ORDER BY receipt_id").fetchall()


def stored_users(conninfo):
    return [user for (user,) in stored_receipts(conninfo("marquee"))]


def test_what_is_put_is_what_is_stored(way, conninfo):
    odd = ["a\\b+1999", 'q"uote+1999', "tab\there", "b{race}+1999", "café+1999", "%2C+1999"]
    receipt = way.put(5, movies=odd)
    way.store.store_all()

    columns = "receipt_id::text, user_id, movie_ids, model_version, slot, bucket, arm, reason"
    assert stored_receipts(conninfo("marquee"), columns) == [
        (str(receipt.receipt_id), 5, odd, FIRST, "blue", 7, "control", "model")
    ]


def test_more_than_one_batch_is_stored_at_once(way, conninfo):
    way.put(*range(1, 12_001))
    assert len(way.store) == 12_000
    way.store.store_all()

    assert len(way.store) == 0
    assert sorted(stored_users(conninfo)) == list(range(1, 12_001))


def test_a_batch_whose_connection_broke_is_stored_once(way, conninfo):
    way.put(1)
    way.store.store_all()
    break_connections(conninfo)
    way.put(2)
    with pytest.raises(psycopg.OperationalError):
        way.store.store_all()
    way.store.store_all()

    assert stored_users(conninfo) == [1, 2]


def break_connections(conninfo):
    with psycopg.connect(conninfo("marquee"), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_batch_that_was_committed_unheard_is_not_stored_again(way, conninfo, monkeypatch):
    way.put(1)
    with monkeypatch.context() as deaf:
        deaf.setattr("recommender.receipts.store.psycopg.Connection.transaction", commit_unheard)
        with pytest.raises(psycopg.OperationalError):
            way.store.store_all()
    way.put(2)
    way.store.store_all()

    assert len(way.store) == 0
    assert stored_users(conninfo) == [1, 2]


@contextmanager
def commit_unheard(connection):
    """A transaction that commits, and whose connection breaks before we are told."""
    connection.execute("BEGIN")
    yield
    connection.execute("COMMIT")
    connection.close()
    raise psycopg.OperationalError("the connection broke as the commit came back")


def test_the_next_process_stores_what_the_last_one_could_not_and_nothing_twice(ways, conninfo):
    killed = ways()
    killed.put(1)
    killed.store.store_all()
    killed.put(2)

    heir = ways()
    heir.put(3)
    heir.store.store_all()

    assert len(heir.store) == 0
    assert stored_users(conninfo) == [1, 2, 3]


def test_receipts_written_to_a_spool_that_a_power_failure_cut_are_stored(ways, conninfo, tmp_path):
    before = ways()
    before.put(1)
    before.put(2)
    before.store.store_all()
    os.truncate(tmp_path / f"{0:020}.rows", before.spool.end // 2)

    after = ways()
    after.put(3)
    after.store.store_all()

    assert stored_users(conninfo) == [1, 2, 3]


def test_only_the_receipts_that_can_never_be_stored_are_given_up_and_counted(way, conninfo):
    way.put(1, 2)
    way.put(3, movies=["nul\x00byte"])
    way.put(4)
    way.put(5, at=NOW - timedelta(days=4000))
    way.put(6)
    way.store.store_all()

    assert stored_users(conninfo) == [1, 2, 4, 6]
    assert way.dropped() == 2


@pytest.mark.parametrize("damaged", [b"no row", bytes(2**16), b"\xff" * 9])
def test_what_a_power_failure_damaged_is_given_up_and_counted(way, conninfo, damaged):
    way.put(1)
    way.spool.append(damaged, 1)
    way.put(2)
    way.store.store_all()

    assert stored_users(conninfo) == [1, 2]
    assert way.dropped() == 1


def test_a_receipt_without_a_partition_yet_waits_for_it(way):
    way.put(1, at=NOW + timedelta(days=4000))
    with pytest.raises(psycopg.errors.CheckViolation):
        way.store.store_all()

    assert len(way.store) == 1


def test_each_answer_leaves_one_receipt_and_bad_requests_leave_none(slots, conninfo):
    slot = slots.start("blue", FIRST)
    for user in range(1, 31):
        assert get(slot.port, f"/recommend/{user}", **{"X-Marquee-Bucket": "123"})[0] == 200
    assert get(slot.port, "/recommend/none")[0] == 400
    database = conninfo("marquee")
    eventually(lambda: len(stored_receipts(database)) == 30)

    columns = "model_version, slot, bucket, arm, reason, cardinality(movie_ids)"
    assert set(stored_receipts(database, columns)) == {
        (FIRST, "blue", 123, "control", "popular", 20)
    }


def test_sigterm_ends_a_slot_cleanly_and_every_receipt_is_stored_by_then(slots, conninfo):
    slot = slots.start("blue", FIRST)
    ask_for(slot, range(1, 101))
    slot.stop()

    assert stored_users(conninfo) == list(range(1, 101))


def test_a_slot_that_stops_stores_what_waited_for_postgresql(slots, conninfo):
    slot = slots.start("blue", FIRST)
    set_connections(conninfo("marquee"), allowed=False)
    ask_for(slot, range(1, 101))
    eventually(lambda: failures(slot, "store") > 3)
    set_connections(conninfo("marquee"), allowed=True)
    slot.stop()

    assert stored_users(conninfo) == list(range(1, 101))


def failures(slot, task):
    counted = re.search(
        rf'^marquee_background_failures_total{{task="{task}"}} (.+)$',
        get(slot.port, "/metrics")[1],
        re.MULTILINE,
    )
    return float(counted[1]) if counted else 0


def test_without_postgresql_a_slot_stops_in_time_and_its_receipts_wait_for_the_next_start(
    slots, conninfo
):
    slot = slots.start("blue", FIRST)
    set_connections(conninfo("marquee"), allowed=False)
    ask_for(slot, range(1, 101))
    slot.stop()
    set_connections(conninfo("marquee"), allowed=True)
    assert stored_users(conninfo) == []
    slots.start("blue", FIRST)

    eventually(lambda: stored_users(conninfo))
    assert stored_users(conninfo) == list(range(1, 101))


def test_with_a_postgresql_that_hangs_a_slot_goes_on_answering_and_stops(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        port = hanging.getsockname()[1]
        slots = Slots(tmp_path, f"host=127.0.0.1 port={port} dbname=no user=no password=no")
        publish(slots.models, FIRST)
        slot = slots.start("blue", FIRST)
        ask_for(slot, range(1, 201))
        slot.stop()


def ask_for(slot, users):
    for user in users:
        assert get(slot.port, f"/recommend/{user}")[0] == 200


def test_a_slot_answers_without_postgresql_and_stores_the_receipts_when_it_is_back(slots, conninfo):
    slot = slots.start("blue", FIRST)
    database = conninfo("marquee")
    set_connections(database, allowed=False)
    ask_for(slot, range(1, 51))
    assert slot.readiness()["ready"] is True
    set_connections(database, allowed=True)

    eventually(lambda: len(stored_receipts(database)) == 50)


def written(slot):
    """Whether all receipts are on the disk, whatever PostgreSQL does."""
    return "\nmarquee_receipts_queued 0.0\n" in get(slot.port, "/metrics")[1]


def test_receipts_wait_on_the_disk_for_postgresql_even_if_the_slot_is_killed(slots, conninfo):
    slot = slots.start("blue", FIRST)
    database = conninfo("marquee")
    set_connections(database, allowed=False)
    ask_for(slot, range(1, 51))
    eventually(lambda: written(slot))
    slot.kill()
    set_connections(database, allowed=True)
    slots.start("blue", FIRST)

    eventually(lambda: stored_users(conninfo))
    assert stored_users(conninfo) == list(range(1, 51))


def test_a_killed_slot_loses_the_newest_receipts_alone(slots, conninfo):
    slot = slots.start("blue", FIRST)
    ask_for(slot, range(1, 51))
    eventually(lambda: written(slot))
    ask_for(slot, range(51, 101))
    slot.kill()
    heir = slots.start("blue", FIRST)
    eventually(lambda: stored_users(conninfo))
    eventually(lambda: heir.readiness()["receipts_queued"] == 0)

    stored = stored_users(conninfo)
    assert len(set(stored)) == len(stored)
    assert 50 <= len(stored) <= 100
    assert sorted(stored) == list(range(1, len(stored) + 1))


def test_a_volume_that_takes_no_receipts_costs_no_answer_and_is_used_again(slots, conninfo):
    in_the_way = slots.receipts / "blue"
    in_the_way.parent.mkdir()
    in_the_way.write_text("a file where the folder should be")
    slot = slots.start("blue", FIRST)
    ask_for(slot, range(1, 51))
    in_the_way.unlink()

    eventually(lambda: len(stored_users(conninfo)) == 50)


def test_an_answer_is_explained_from_its_receipt_to_data_and_code(slots, conninfo):
    publish(slots.models, SECOND, likes={3: [50]})
    record_version(conninfo("marquee"))
    slot = slots.start("blue", SECOND)
    rate(conninfo("marquee"), user=5, movie=MOVIES[3])
    eventually(lambda: get(slot.port, "/recommend/5")[1].startswith(MOVIES[50]))
    answer = json.loads(get(slot.port, "/recommend/5", Accept="application/json")[1])
    eventually(lambda: slots.explain(answer["receipt_id"]).returncode == 0)
    said = slots.explain(answer["receipt_id"]).stdout

    assert f"{MOVIES[50]} (2.500): {MOVIES[3]} (rated 5) +2.500; all others +0.000" in said
    assert "git commit c0de" in said
    assert "data     d4t4" in said


def test_what_was_done_since_the_training_is_in_the_order_in_which_a_slot_came_to_know_it(conninfo):
    begun = NOW - timedelta(minutes=10)
    done = [
        ("rating", 8, "in+the+training", 4.0, 0, 9),
        ("rating", 7, "of+somebody+else", 4.0, 1, 3),
        ("watch", 8, "only+watched", 5, 0, 12),
        ("rating", 8, "rated+twice", 3.0, 0, 11),
        ("watch", 8, "rated+too", 7, 1, 4),
        ("rating", 8, "rated+too", 2.0, 1, 5),
        ("watch", 8, "only+watched", 6, 0, 13),
        ("rating", 8, "rated+twice", 5.0, 0, 14),
        ("rating", 8, "after+the+answer", 5.0, 0, 15),
    ]
    with psycopg.connect(conninfo("marquee")) as connection:
        for minute, (table, user, movie, value, partition, offset) in enumerate(done):
            connection.execute(
                f"INSERT INTO {table} VALUES (%s, %s, %s, %s, %s, %s)",
                (begun + timedelta(minutes=minute), user, movie, value, partition, offset),
            )
        connection.execute(
            "INSERT INTO stream_offset (topic, log_partition, first_offset, next_offset)"
            " VALUES ('movielog', 0, 0, 16), ('movielog', 1, 0, 6)"
        )
    with psycopg.connect(conninfo("recommender")) as connection:
        known = done_since(connection, 8, {0: 10}, begun + timedelta(minutes=8))

    assert str(list(known.items())) == (
        "[('only+watched', nan), ('rated+too', 2.0), ('rated+twice', 5.0)]"
    )


def test_of_a_version_that_is_gone_its_data_and_code_are_told_and_the_rest_is_said_to_be_gone(
    slots, conninfo
):
    record_version(conninfo("marquee"), FIRST)
    slot = slots.start("blue", FIRST)
    answer = json.loads(get(slot.port, "/recommend/5", Accept="application/json")[1])
    eventually(lambda: slots.explain(answer["receipt_id"]).returncode == 0)
    shutil.rmtree(slots.models / "versions" / FIRST)
    said = slots.explain(answer["receipt_id"]).stdout

    assert "git commit c0de" in said
    assert "gone: version" in said


def test_a_receipt_that_does_not_exist_is_told_in_one_line(slots):
    done = slots.explain("01890000-0000-7000-8000-000000000000")

    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no receipt" in done.stderr


def record_version(database, version=SECOND):
    manifest = {
        "created_at": "now",
        "algorithm": "ease",
        "parameters": {},
        "data": {"hash": "d4t4"},
        "code": {"git_commit": "c0de"},
    }
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO model_version (version, algorithm, git_commit, data_hash, interactions,"
            " users, movies, figures, manifest, verdict, reason)"
            " VALUES (%s, 'ease', 'c0de', 'd4t4', 1, 1, 1, '{}', %s, 'accepted', 'a test')",
            (version, json.dumps(manifest)),
        )


def rate(database, user, movie):
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO rating (time, user_id, movie_id, rating, log_partition, log_offset)"
            " VALUES (now(), %s, %s, 5, 0, 0)",
            (user, movie),
        )
        connection.execute(
            "INSERT INTO stream_offset (topic, log_partition, first_offset, next_offset)"
            " VALUES ('movielog', 0, 0, 1)"
        )


def set_connections(database, *, allowed):
    """Let the role in or not, and throw out who is connected."""
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    server = psycopg.conninfo.make_conninfo(database, dbname="postgres", options="")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(
                sql.Identifier(name), sql.Literal(allowed)
            )
        )
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )

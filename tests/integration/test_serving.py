"""A slot against a real PostgreSQL: activity is followed, receipts land, PostgreSQL may go."""

import json
import signal
import threading
import time
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql
from uuid_utils import uuid7

from recommender.activity import ActivityFollower, RecentActivity
from recommender.connection import KeptConnection
from recommender.metrics import Metrics
from recommender.receipts import Receipt, ReceiptQueue, ReceiptStore
from tests.integration.serving import Slots, eventually, get
from tests.unit.recommender.versions import MOVIES, publish

FIRST, SECOND = "20260101-000000-ease", "20260102-000000-ease"
NOW = datetime.now(UTC)


def land(database, rows, next_offset, partition=0, topic="movielog"):
    """Rows and their offset in one transaction, as ingest writes them."""
    with psycopg.connect(database) as connection:
        for table, user, movie, value, offset in rows:
            connection.execute(
                sql.SQL("INSERT INTO {} VALUES (%s, %s, %s, %s, %s, %s)").format(
                    sql.Identifier(table)
                ),
                (NOW, user, movie, value, partition, offset),
            )
        connection.execute(
            "INSERT INTO stream_offset VALUES (%s, %s, 0, %s, now())"
            " ON CONFLICT (topic, log_partition) DO UPDATE SET next_offset = %s",
            (topic, partition, next_offset, next_offset),
        )


def stored_receipts(database, columns="user_id"):
    with psycopg.connect(database) as connection:
        return connection.execute(f"SELECT {columns} FROM receipt ORDER BY receipt_id").fetchall()


@pytest.fixture
def slots(tmp_path, conninfo):
    slots = Slots(tmp_path, conninfo("recommender"))
    yield slots
    slots.end()


@pytest.fixture
def connection(conninfo):
    connection = KeptConnection(conninfo("recommender"))
    yield connection
    connection.close()


class TestActivity:
    @pytest.fixture
    def activity(self):
        return RecentActivity(100)

    @pytest.fixture
    def follower(self, connection, activity):
        return ActivityFollower(connection, "movielog", activity)

    def test_rows_past_the_model_s_data_are_followed_and_earlier_ones_are_not(
        self, conninfo, activity, follower
    ):
        rows = [("rating", 1, "old", 5, 9), ("rating", 1, "new", 4, 10), ("watch", 2, "new", 3, 11)]
        land(conninfo("marquee"), rows, 12)
        follower.catch_up({0: 10})

        assert activity.of(1) == {"new": 4.0}
        assert list(activity.of(2)) == ["new"]

    def test_rows_that_landed_since_are_added(self, conninfo, activity, follower):
        land(conninfo("marquee"), [("rating", 1, "first", 5, 0)], 1)
        follower.catch_up({0: 0})
        land(conninfo("marquee"), [("rating", 1, "second", 4, 1)], 2)
        follower.catch_up({0: 0})

        assert activity.of(1) == {"first": 5.0, "second": 4.0}

    def test_a_model_of_older_data_makes_it_read_again_from_there(
        self, conninfo, activity, follower
    ):
        land(conninfo("marquee"), [("rating", 1, "a", 5, 0), ("rating", 1, "b", 4, 1)], 2)
        follower.catch_up({0: 1})
        follower.catch_up({0: 0})

        assert activity.of(1) == {"a": 5.0, "b": 4.0}

    def test_the_last_of_several_ratings_counts(self, conninfo, activity, follower):
        rows = [("rating", 1, "a", value, value) for value in (1, 5, 3)]
        land(conninfo("marquee"), rows, 6)
        follower.catch_up({})

        assert activity.of(1) == {"a": 5.0}


class TestReceipts:
    def receipt(self, user, movie_ids=("heat+1995",)):
        now = NOW.timestamp()
        return Receipt(uuid7(), now, user, ",".join(movie_ids), "model", FIRST, 7, 0.25e-3)

    @pytest.fixture
    def metrics(self):
        return Metrics()

    @pytest.fixture
    def queue(self, metrics):
        return ReceiptQueue(100_000, metrics)

    @pytest.fixture
    def store(self, connection, queue, metrics):
        return ReceiptStore(connection, "blue", queue, metrics)

    def test_what_is_put_is_what_is_stored(self, conninfo, queue, store):
        odd = ["a\\b+1999", 'q"uote+1999', "tab\there", "b{race}+1999", "café+1999", "%2C+1999"]
        receipt = self.receipt(5, odd)
        queue.put(receipt)
        store.store_all()

        columns = "receipt_id::text, user_id, movie_ids, model_version, slot, bucket, arm, reason"
        assert stored_receipts(conninfo("marquee"), columns) == [
            (str(receipt.receipt_id), 5, odd, FIRST, "blue", 7, "control", "model")
        ]

    def test_more_than_one_batch_is_stored_at_once(self, conninfo, queue, store):
        for user in range(12_000):
            queue.put(self.receipt(user + 1))
        store.store_all()

        stored = {user for (user,) in stored_receipts(conninfo("marquee"))}
        assert stored == set(range(1, 12_001))

    def test_a_batch_whose_connection_broke_before_the_commit_is_stored_once(
        self, conninfo, queue, store
    ):
        queue.put(self.receipt(1))
        store.store_all()
        break_connections(conninfo)
        queue.put(self.receipt(2))
        with pytest.raises(psycopg.OperationalError):
            store.store_all()
        store.store_all()

        assert [user for (user,) in stored_receipts(conninfo("marquee"))] == [1, 2]

    def test_a_batch_that_was_committed_unheard_is_not_stored_again(
        self, conninfo, queue, store, monkeypatch
    ):
        queue.put(self.receipt(1))
        with monkeypatch.context() as deaf:
            deaf.setattr(store, "_stored", lost_connection)
            with pytest.raises(psycopg.OperationalError):
                store.store_all()
        assert len(store) == 1
        store.store_all()

        assert len(store) == 0
        assert [user for (user,) in stored_receipts(conninfo("marquee"))] == [1]

    def test_a_batch_that_can_never_be_stored_is_given_up_and_counted(
        self, conninfo, queue, store, metrics
    ):
        queue.put(self.receipt(1, ["nul\x00byte"]))
        with pytest.raises(psycopg.DataError):
            store.store_all()
        queue.put(self.receipt(2))
        store.store_all()

        assert [user for (user,) in stored_receipts(conninfo("marquee"))] == [2]
        assert metrics.registry.get_sample_value("marquee_receipts_dropped_total") == 1


def lost_connection():
    raise psycopg.OperationalError("the connection broke as the commit came back")


def break_connections(conninfo):
    with psycopg.connect(conninfo("marquee"), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_user_s_ratings_change_the_list_without_a_new_model(slots, conninfo):
    publish(slots.models, FIRST, likes={3: [50, 51]})
    slot = slots.start("blue", FIRST)
    assert get(slot.port, "/recommend/5")[1].startswith(MOVIES[0])
    land(conninfo("marquee"), [("rating", 5, MOVIES[3], 5, 0)], 1)

    eventually(lambda: get(slot.port, "/recommend/5")[1].startswith(MOVIES[50]))


def test_each_answer_leaves_one_receipt_and_bad_requests_leave_none(slots, conninfo):
    publish(slots.models, FIRST)
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


def test_sigterm_ends_a_slot_cleanly_and_its_last_receipts_are_stored(slots, conninfo):
    publish(slots.models, FIRST)
    slot = slots.start("blue", FIRST)
    for user in range(1, 101):
        get(slot.port, f"/recommend/{user}")
    started = time.monotonic()
    slot.process.send_signal(signal.SIGTERM)

    assert slot.process.wait(timeout=10) == 0
    assert time.monotonic() - started < 10
    assert len(stored_receipts(conninfo("marquee"))) == 100


def test_a_slot_answers_without_postgresql_and_stores_the_receipts_when_it_is_back(slots, conninfo):
    publish(slots.models, FIRST)
    slot = slots.start("blue", FIRST)
    database = conninfo("marquee")
    set_connections(database, allowed=False)
    for user in range(1, 51):
        assert get(slot.port, f"/recommend/{user}")[0] == 200
    assert slot.readiness()["ready"] is True
    set_connections(database, allowed=True)

    eventually(lambda: len(stored_receipts(database)) == 50)


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


def test_a_new_model_is_taken_over_without_a_failed_request(slots):
    publish(slots.models, FIRST, top={1: range(40, 60)})
    publish(slots.models, SECOND, top={1: range(20, 40)})
    slot = slots.start("blue", FIRST)
    answers, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            answers.append(get(slot.port, "/recommend/1"))

    asking = threading.Thread(target=ask)
    asking.start()
    slot.assign(SECOND)
    eventually(lambda: slot.answers_with(SECOND))
    stop.set()
    asking.join()

    assert {status for status, _body in answers} == {200}
    assert {body.split(",")[0] for _status, body in answers} == {MOVIES[40], MOVIES[20]}


def test_a_damaged_model_is_refused_and_the_last_good_one_goes_on(slots):
    publish(slots.models, FIRST)
    publish(slots.models, SECOND)
    (slots.models / "versions" / SECOND / "popular.npy").write_bytes(b"half")
    slot = slots.start("blue", FIRST)
    slot.assign(SECOND)
    eventually(lambda: slot.readiness()["refused"] == SECOND)

    assert slot.answers_with(FIRST)
    assert get(slot.port, "/recommend/1")[0] == 200
    assert "marquee_model_refused_total 1.0" in get(slot.port, "/metrics")[1]


def test_a_slot_that_never_had_a_good_model_says_503(slots):
    slot = slots.start("green")
    eventually(lambda: slot.readiness().get("ready") is False)

    assert get(slot.port, "/recommend/1")[0] == 503
    assert json.loads(get(slot.port, "/readyz")[1])["slot"] == "green"

import json
import os
import random
import signal
import string
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from ingest.audit.audit import audit
from ingest.catalogue.discovery import ask_api, describe, discover
from ingest.errors import PartitionInUseError
from ingest.landing.admission_rules import AdmissionRules
from ingest.landing.transaction import Landing, connect
from ingest.lines.grammar import (
    MAX_MOVIE_BYTES,
    ONE_TO_FIVE,
    AccountCreated,
    Event,
    Rated,
    Watched,
    format_line,
    rating_scale,
)
from ingest.lines.slices import Slice
from ingest.offsets import store_first_offsets, stored_offsets
from ingest.partition import Partition
from ingest.rejects.reprocessing import rejects_table, reprocess
from ingest.retention import retention_pass
from ingest.retention.drop import drop_partition
from ingest.retention.expiry import Decision, decide
from ingest.retention.partition_settings import PartitionSettings
from ingest.retention.partitions import existing_partitions, make_partitions
from ingest.retention.retention_pass import drop, intend, retention_table, roll_up_viewings
from ingest.tables import EVENT_TABLES
from tests.stores import service_environment

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)
OLD = NOW - 10 * DAY
SETTINGS = PartitionSettings()
A_WEEK = PartitionSettings(time_to_live=7 * DAY)
NEW = AccountCreated(NOW, 7)
"""Where a line is as new as this, the clock is believed."""


def land(conninfo, events: list[Event]) -> None:
    """Land events in Kafka partition 0, after what landed before."""
    with connect(conninfo("ingest")) as connection:
        store_first_offsets(connection, "topic", {0: 0})
        first = stored_offsets(connection, "topic")[0]
        landing = Landing(
            connection, "topic", AdmissionRules(connection, ONE_TO_FIVE, timedelta(minutes=5))
        )
        landing.land(
            landing.prepare([Slice(0, first, [format_line(event) for event in events])], NOW), NOW
        )


def judge(conninfo, until: datetime) -> None:
    """Evaluation says that it has judged everything before `until`."""
    with psycopg.connect(conninfo("evaluation")) as connection:
        connection.execute(
            "INSERT INTO retention_lease (owner, reason, held_from) VALUES ('evaluation', '', %s)",
            (until,),
        )


@pytest.fixture
def retention(conninfo) -> Iterator[psycopg.Connection]:
    with psycopg.connect(conninfo("retention"), autocommit=True) as connection:
        yield connection


def retain(connection: psycopg.Connection, settings: PartitionSettings, now: datetime) -> None:
    """Do passes until one leaves no drop undone: on a busy machine a drop gives way to ingest."""
    for _ in range(20):
        retention_pass.retain(connection, settings, now)
        undone = connection.execute("SELECT FROM dropped_partition WHERE dropped_at IS NULL")
        if undone.fetchone() is None:
            return


def count(conninfo, table: str) -> int:
    with psycopg.connect(conninfo("marquee")) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def balanced(retention) -> bool:
    return all(partition.balanced for partition in audit(retention, datetime.now(UTC)))


def test_what_is_old_and_judged_goes_and_the_audit_still_balances(conninfo, retention):
    land(conninfo, [Watched(OLD, 1, "up+2009", 7), Watched(NOW, 1, "up+2009", 8)])
    judge(conninfo, until=NOW)
    retain(retention, A_WEEK, NOW)
    assert count(conninfo, "watch") == 1
    assert balanced(retention)


def test_of_two_expired_partitions_the_judged_one_goes_and_the_other_stays(conninfo, retention):
    land(conninfo, [Watched(OLD, 1, "up+2009", 7), Watched(OLD + 2 * DAY, 2, "up+2009", 8), NEW])
    judge(conninfo, until=OLD + DAY)
    retain(retention, A_WEEK, NOW)
    with psycopg.connect(conninfo("analyst")) as connection:
        assert connection.execute("SELECT user_id FROM watch").fetchall() == [(2,)]
    assert balanced(retention)


def test_what_is_old_and_not_judged_stays(conninfo, retention):
    land(conninfo, [Watched(OLD, 1, "up+2009", 7), NEW])
    judge(conninfo, until=OLD)
    retain(retention, A_WEEK, NOW)
    assert count(conninfo, "watch") == 1


def test_without_any_lease_nothing_counts_as_judged(conninfo, retention):
    land(conninfo, [Watched(OLD, 1, "up+2009", 7), NEW])
    retain(retention, A_WEEK, NOW)
    assert count(conninfo, "watch") == 1


def test_the_earliest_lease_decides(conninfo, retention):
    land(conninfo, [Watched(OLD, 1, "up+2009", 7), NEW])
    judge(conninfo, until=NOW)
    with psycopg.connect(conninfo("marquee")) as connection:
        connection.execute(
            "INSERT INTO retention_lease (owner, reason, held_from) VALUES ('other', '', %s)",
            (OLD,),
        )
    retain(retention, A_WEEK, NOW)
    assert count(conninfo, "watch") == 1


def test_a_clock_that_jumps_forward_drops_nothing(conninfo, retention):
    land(conninfo, [Watched(OLD, 1, "up+2009", 7), Watched(NOW, 1, "up+2009", 8)])
    later = NOW + 365 * DAY
    judge(conninfo, until=later)
    retain(retention, A_WEEK, later)
    assert (count(conninfo, "watch"), count(conninfo, "dropped_partition")) == (2, 0)


def test_of_five_expired_days_two_go_in_a_pass_and_empty_ones_do_not_count(conninfo, retention):
    land(conninfo, [*(Watched(OLD + n * DAY, 1, "up+2009", 7) for n in range(5)), NEW])
    judge(conninfo, until=NOW)
    retention_pass.retain(retention, PartitionSettings(time_to_live=DAY), NOW)
    of_watch = "retention_plan WHERE relation = 'watch'"
    assert count(conninfo, f"{of_watch} AND reason LIKE '%later pass'") == 3
    assert count(conninfo, f"{of_watch} AND drops") > 2


def test_refused_lines_need_no_judgement_to_go(conninfo, retention):
    land(conninfo, [])
    with psycopg.connect(conninfo("marquee")) as connection:
        connection.execute("INSERT INTO reject VALUES (%s, 'bad_time', '', 0, 0);", (OLD,))
        connection.execute("UPDATE stream_offset SET next_offset = 1")
    retain(retention, A_WEEK, NOW)
    assert count(conninfo, "reject") == 0
    assert balanced(retention)


def test_each_drop_is_written_down(conninfo, retention):
    land(conninfo, [Watched(OLD, 1, "up+2009", 7)] * 3 + [NEW])
    judge(conninfo, until=NOW)
    retain(retention, A_WEEK, NOW)
    with psycopg.connect(conninfo("analyst")) as connection:
        assert connection.execute(
            "SELECT relation, dropped_at IS NOT NULL, log_partition, row_count"
            " FROM dropped_partition JOIN dropped_rows USING (partition_name)"
        ).fetchall() == [("watch", True, 0, 3)]


def test_a_pass_carries_out_what_a_killed_one_had_only_intended(conninfo, retention):
    land(conninfo, [Watched(OLD, 1, "up+2009", 7), NEW])
    judge(conninfo, until=NOW)
    watch = EVENT_TABLES[0]
    partitions = existing_partitions(retention, "watch")
    for decision in decide(watch, partitions, A_WEEK, NOW, NOW):
        if decision.drop:
            intend(retention, decision, NOW)
    retain(retention, A_WEEK, NOW)
    assert count(conninfo, "dropped_partition WHERE dropped_at IS NULL") == 0
    assert count(conninfo, "watch") == 0
    assert balanced(retention)


def to_drop(partition: Partition) -> Decision:
    return Decision(partition, NOW, drop=True, overdue=True, held=False, reason="")


def intended(retention: psycopg.Connection) -> Partition:
    """The partition of watch that holds OLD, after the intent to drop it was written down."""
    oldest = next(p for p in existing_partitions(retention, "watch") if p.lower <= OLD < p.upper)
    intend(retention, to_drop(oldest), NOW)
    return oldest


def drop_once_free(connection: psycopg.Connection, partition: Partition) -> None:
    """Drop, again and again while a busy machine does not finish in the time that ingest gives."""
    for _ in range(200):
        try:
            return drop_partition(connection, partition, NOW)
        except PartitionInUseError as error:
            if "in use" not in str(error):
                raise
    return drop_partition(connection, partition, NOW)


def test_a_drop_killed_in_its_transaction_leaves_everything(conninfo, retention):
    land(conninfo, [Watched(OLD, 1, "up+2009", 7), NEW])
    roll_up_viewings(retention)
    oldest = intended(retention)
    # rolled back is what PostgreSQL does when the client is gone
    with psycopg.connect(conninfo("retention")) as killed, killed.transaction(force_rollback=True):
        drop_once_free(killed, oldest)
    assert count(conninfo, "watch") == 1
    assert balanced(retention)


def test_a_partition_in_use_stays(conninfo, retention):
    land(conninfo, [Watched(OLD, 1, "up+2009", 7), NEW])
    roll_up_viewings(retention)
    oldest = intended(retention)
    with psycopg.connect(conninfo("ingest")) as ingest:
        ingest.execute("LOCK TABLE watch IN ROW EXCLUSIVE MODE")
        with pytest.raises(PartitionInUseError):
            drop_partition(retention, oldest, NOW)
    assert count(conninfo, "watch") == 1


def test_the_commit_of_a_drop_cannot_time_out(conninfo, retention):
    oldest = intended(retention)
    with psycopg.connect(conninfo("marquee"), autocommit=True) as owner:
        owner.execute(
            "CREATE FUNCTION no_time_limit() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN ASSERT current_setting(''statement_timeout'') = ''0''; RETURN NULL; END'"
        )
        owner.execute(
            "CREATE CONSTRAINT TRIGGER no_time_limit AFTER UPDATE ON dropped_partition"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION no_time_limit()"
        )
    drop(retention, to_drop(oldest), NOW)
    assert oldest not in existing_partitions(retention, "watch")


def test_watched_minutes_that_are_not_rolled_up_stay(conninfo, retention):
    land(conninfo, [Watched(OLD, 1, "up+2009", 7), NEW])
    roll_up_viewings(retention)
    land(conninfo, [Watched(OLD, 1, "up+2009", 8)])
    with pytest.raises(PartitionInUseError, match="not rolled up"):
        drop_once_free(retention, intended(retention))


def test_a_drop_that_waits_for_a_reader_gives_way_to_ingest(conninfo, retention):
    land(conninfo, [Watched(OLD, 1, "up+2009", 7), NEW])
    roll_up_viewings(retention)
    oldest = next(p for p in existing_partitions(retention, "watch") if p.lower <= OLD < p.upper)
    decision = to_drop(oldest)
    locked = 0
    with (
        psycopg.connect(conninfo("recommender")) as reader,
        psycopg.connect(conninfo("ingest"), autocommit=True) as ingest,
        ThreadPoolExecutor() as beside,
    ):
        reader.execute("SELECT count(*) FROM watch")
        tried = beside.submit(drop, retention, decision, NOW)
        while not tried.done():
            with ingest.transaction():
                ingest.execute("LOCK TABLE watch IN ROW EXCLUSIVE MODE")
            locked += 1
        assert reader.info.transaction_status is TransactionStatus.INTRANS
    assert count(conninfo, "watch") == 1
    assert locked


def viewings(conninfo) -> list[tuple[object, ...]]:
    with psycopg.connect(conninfo("trainer")) as connection:
        return connection.execute(
            "SELECT user_id, movie_id, minutes, furthest_minute, first_watched, last_watched"
            " FROM viewing ORDER BY day, user_id, movie_id"
        ).fetchall()


def test_viewings_sum_up_a_day_over_several_passes_and_outlive_the_minutes(conninfo, retention):
    noon = OLD.replace(hour=12, minute=0, second=0)
    minute = timedelta(minutes=1)
    judge(conninfo, until=NOW)
    land(conninfo, [NEW, *(Watched(noon + n * minute, 1, "up+2009", 1 + n) for n in range(3))])
    retain(retention, SETTINGS, NOW)
    land(conninfo, [Watched(noon - minute, 1, "up+2009", 9), Watched(noon, 2, "up+2009", 1)])
    retain(retention, SETTINGS, NOW)
    retain(retention, A_WEEK, NOW)
    assert count(conninfo, "watch") == 0
    assert viewings(conninfo) == [
        (1, "up+2009", 4, 9, noon - minute, noon + 2 * minute),
        (2, "up+2009", 1, 1, noon, noon),
    ]


def test_days_of_viewings_are_utc_days(conninfo, retention):
    before = NOW.replace(hour=0, minute=0, second=0) - timedelta(seconds=1)
    land(
        conninfo,
        [
            Watched(before, 1, "up+2009", 1),
            Watched(before + 2 * timedelta(seconds=1), 1, "up+2009", 2),
        ],
    )
    retention.execute("SET TimeZone = 'America/New_York'")
    roll_up_viewings(retention)
    assert [minutes for _, _, minutes, *_ in viewings(conninfo)] == [1, 1]


def test_what_forgotten_jobs_said_is_forgotten(conninfo, retention):
    retention.execute("INSERT INTO job_log (job_id, message) VALUES (999, 'done')")
    retain(retention, SETTINGS, NOW)
    assert count(conninfo, "job_log") == 0


def test_partitions_are_made_ahead(conninfo, retention):
    with psycopg.connect(conninfo("marquee"), autocommit=True) as owner:
        ahead = [p for p in existing_partitions(owner, "watch") if p.lower > NOW]
        for partition in ahead:
            owner.execute(f"DROP TABLE {partition.name}")
    retain(retention, SETTINGS, NOW)
    assert [p for p in existing_partitions(retention, "watch") if p.lower > NOW] == ahead


def test_making_a_partition_waits_for_no_batch(conninfo, retention):
    with psycopg.connect(conninfo("ingest")) as ingest:
        ingest.execute("LOCK TABLE watch, rating, account, reject IN ROW EXCLUSIVE MODE")
        retention.execute("SET lock_timeout = '10ms'")
        assert make_partitions(retention, SETTINGS, NOW + DAY) != []


def test_a_partition_has_the_indexes_of_its_table_once(conninfo, retention):
    make_partitions(retention, SETTINGS, NOW + DAY)
    newest = existing_partitions(retention, "watch")[-1]
    assert count(conninfo, f"pg_index WHERE indrelid = '{newest.name}'::regclass") == 1


def test_the_table_says_what_would_go_and_why_the_rest_stays(conninfo, retention):
    judge(conninfo, until=NOW - 8 * DAY)
    table = retention_table(retention, A_WEEK, NOW)
    day = {n: f"watch_{NOW - n * DAY:%Y%m%d}t000000" for n in range(12)}
    said = {
        line.split()[0]: (line.split()[1], " ".join(line.split()[3:]))
        for line in table.splitlines()
    }
    assert said[day[10]][0] == "dropped"
    assert said[day[10]][1].startswith("older than its time to live since")
    assert said[day[8]][0] == "kept"
    assert said[day[8]][1].startswith("not judged: the lease holds rows from")
    assert said[day[1]][1].startswith("younger than its time to live until")


def test_the_plan_can_be_looked_at(conninfo, retention):
    judge(conninfo, until=NOW - 8 * DAY)
    retain(retention, A_WEEK, NOW)
    with psycopg.connect(conninfo("analyst")) as analyst:
        assert analyst.execute(
            "SELECT partition_name, drops FROM expiry WHERE relation = 'watch' AND reason LIKE"
            " 'not judged%' ORDER BY 1 LIMIT 1"
        ).fetchone() == (f"watch_{NOW - 8 * DAY:%Y%m%d}t000000", False)


def test_a_disk_budget_drops_the_oldest_judged_partition_and_says_so(conninfo, retention):
    land(conninfo, [Watched(OLD, 1, "up+2009", 7), Watched(OLD + 3 * DAY, 1, "up+2009", 7)])
    judge(conninfo, until=OLD + 2 * DAY)
    retain(retention, PartitionSettings(disk_budget_gib=1e-9), NOW)
    with psycopg.connect(conninfo("analyst")) as connection:
        assert connection.execute("SELECT time FROM watch").fetchall() == [(OLD + 3 * DAY,)]
        assert connection.execute(
            "SELECT count(*) FROM dropped_partition WHERE partition_name = %s"
            " AND reason LIKE 'disk budget: %% GiB of 1e-09 GiB are used'",
            (f"watch_{OLD:%Y%m%d}t000000",),
        ).fetchone() == (1,)
    assert balanced(retention)


def test_a_stuck_lease_is_overridden_only_where_that_is_set(conninfo, retention):
    land(conninfo, [Watched(OLD, 1, "up+2009", 7), NEW])
    judge(conninfo, until=OLD)
    retain(retention, A_WEEK.model_copy(update={"lease_bound": DAY}), NOW)
    assert count(conninfo, "watch") == 1
    override = {"lease_bound": DAY, "override_stuck_lease": True}
    retain(retention, A_WEEK.model_copy(update=override), NOW)
    assert count(conninfo, "watch") == 0


def test_a_pass_killed_between_intent_and_drop_is_carried_out_by_the_next(
    conninfo, retention, tmp_path
):
    land(conninfo, [Watched(OLD, 1, "up+2009", 7), NEW])
    judge(conninfo, until=NOW)
    who = service_environment(conninfo("retention"), tmp_path)
    environment = os.environ | who | {"TIME_TO_LIVE": "P7D"}
    with psycopg.connect(conninfo("recommender")) as reader:
        reader.execute("SELECT count(*) FROM watch")
        child = subprocess.Popen(
            [sys.executable, "-m", "ingest", "retain", "pass"],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        while not count(conninfo, "dropped_partition WHERE dropped_at IS NULL"):
            assert child.poll() is None
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert count(conninfo, "watch") == 1
    retain(retention, A_WEEK, NOW)
    assert count(conninfo, "watch") == 0
    assert count(conninfo, "dropped_partition WHERE dropped_at IS NULL") == 0
    assert balanced(retention)


def test_offsets_without_a_record_expire_like_lines_and_stay_accounted_for(conninfo, retention):
    land(conninfo, [Watched(NOW, 1, "up+2009", 7)])
    with psycopg.connect(conninfo("marquee")) as connection:
        connection.execute("INSERT INTO offset_gap VALUES (%s, 0, 1, 4), (%s, 0, 5, 2)", (OLD, NOW))
        connection.execute("UPDATE stream_offset SET next_offset = 7")
    assert balanced(retention)
    retain(retention, A_WEEK, NOW)
    assert count(conninfo, "offset_gap") == 1
    assert balanced(retention)


def reprocessed(retention: psycopg.Connection, highest: float = 5) -> Counter[str]:
    """Reprocess all that was refused; the rows that it became."""
    admission = AdmissionRules(retention, rating_scale(1, highest, 1), timedelta(minutes=5))
    moved = reprocess(retention, lambda: admission.newest(NOW))
    return sum((part.rows.count for part in moved), Counter())


def test_refused_lines_that_can_be_read_by_now_move_and_the_audit_balances(conninfo, retention):
    land(conninfo, [Rated(NOW, 1, "up+2009", 9.0), Rated(NOW, 1, "up+2009", 4.0)])
    with connect(conninfo("ingest")) as ingest:
        landing = Landing(
            ingest, "topic", AdmissionRules(ingest, ONE_TO_FIVE, timedelta(minutes=5))
        )
        landing.land(landing.prepare([Slice(0, 2, [b"no line of ours"])], NOW), NOW)
    assert reprocessed(retention, highest=10) == {"rating": 1}
    assert (count(conninfo, "rating"), count(conninfo, "reject")) == (2, 1)
    assert balanced(retention)


def test_a_minute_that_is_taken_late_is_rolled_up_and_met_once(conninfo, retention):
    land(conninfo, [Watched(NOW, 1, "up+2009", 7)])
    with psycopg.connect(conninfo("marquee")) as owner:
        line = format_line(Watched(NOW, 2, "alien+1979", 8))
        owner.execute("INSERT INTO reject VALUES (now(), 'bad_time', %s, 0, 1)", (line,))
        owner.execute("UPDATE stream_offset SET next_offset = 2")
    roll_up_viewings(retention)
    discover(retention)
    reprocessed(retention)
    roll_up_viewings(retention)
    assert [(user, minutes) for user, _, minutes, *_ in viewings(conninfo)] == [(1, 1), (2, 1)]
    assert count(conninfo, "app_user") == 2


def test_refused_lines_are_shown_by_reason(conninfo, retention):
    land(conninfo, [Rated(NOW, 1, "up+2009", 9.0)] * 2)
    line = rejects_table(retention, samples=1).splitlines()[1].split()
    assert (line[:2], line[-1]) == (["bad_rating", "2"], "/rate/up+2009=9")


def test_a_movie_that_a_strict_catalogue_does_not_know_is_asked_about(conninfo, retention):
    with connect(conninfo("ingest")) as ingest:
        store_first_offsets(ingest, "topic", {0: 0})
        landing = Landing(
            ingest, "topic", AdmissionRules(ingest, ONE_TO_FIVE, timedelta(minutes=5), strict=True)
        )
        landing.land(
            landing.prepare([Slice(0, 0, [format_line(Watched(NOW, 1, "up+2009", 7))])], NOW), NOW
        )
    discover(retention)
    with psycopg.connect(conninfo("analyst")) as connection:
        assert connection.execute("SELECT reason FROM reject").fetchall() == [("unknown_movie",)]
        assert connection.execute("SELECT movie_id FROM movie").fetchall() == [("up+2009",)]


def test_minutes_wide_partitions_live_through_passes(conninfo, retention):
    lapse = PartitionSettings(
        partition_width=timedelta(minutes=1),
        time_to_live=timedelta(minutes=5),
        long_partition_width=timedelta(minutes=10),
        long_time_to_live=timedelta(hours=1),
    )
    later = NOW + 4 * DAY
    judge(conninfo, until=later)
    retain(retention, lapse, later)
    retain(retention, lapse, later + timedelta(minutes=3))
    assert [p.upper - p.lower for p in existing_partitions(retention, "watch")][-2:] == [
        timedelta(minutes=1)
    ] * 2
    midnight = later.replace(hour=0, minute=0, second=0)
    assert any(p.lower <= midnight < p.upper for p in existing_partitions(retention, "viewing"))


@contextmanager
def metadata_api(answers: dict[str, object]) -> Iterator[str]:
    """An HTTP server with these answers by path; everything else is not found."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path)
            self.send_response(200 if answer else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answer or {"message": "not found"}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("localhost", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def test_a_movie_of_the_longest_id_is_summed_up_and_known(conninfo, retention):
    draw = random.Random(1)  # what repeats itself is compressed, and would fit
    longest = "".join(draw.choices(string.ascii_lowercase + string.digits, k=MAX_MOVIE_BYTES))
    noon = OLD.replace(hour=12, minute=0, second=0)
    judge(conninfo, until=NOW)
    land(conninfo, [NEW, Watched(noon, 1, longest, 1)])
    retain(retention, SETTINGS, NOW)
    discover(retention)
    assert (1, longest, 1, 1, noon, noon) in viewings(conninfo)
    assert count(conninfo, f"movie WHERE movie_id = '{longest}'") == 1


def test_movies_and_users_that_were_met_are_known_once(conninfo, retention):
    land(conninfo, [Watched(NOW, 1, "up+2009", 1), Rated(NOW, 2, "alien+1979", 4.0)])
    discover(retention)
    land(conninfo, [Rated(NOW, 1, "up+2009", 4.0), AccountCreated(NOW, 3)])
    discover(retention)
    assert (count(conninfo, "movie"), count(conninfo, "app_user")) == (2, 3)


def test_the_api_is_asked_about_all_at_once(conninfo, retention):
    land(conninfo, [Rated(NOW, 1, "up+2009", 4.0), Rated(NOW, 2, "alien+1979", 4.0)])
    discover(retention)
    answers = {
        "/movie/alien+1979,up+2009": [
            {"id": "up+2009", "title": "Up", "runtime": "96", "release_date": "2009-05-13",
             "genres": [{"name": "Animation"}]},
            {"message": "movie not found"},
        ],
        "/user/1,2": [{"user_id": 1, "age": 34, "gender": "M", "occupation": "sales"}, {}],
    }  # fmt: skip
    with metadata_api(answers) as root:
        describe(retention, ask_api(root), NOW)
    with psycopg.connect(conninfo("trainer")) as connection:
        assert connection.execute(
            "SELECT movie_id, title, runtime, release_date::text, genres, described_at"
            " FROM movie ORDER BY movie_id"
        ).fetchall() == [
            ("alien+1979", None, None, None, None, NOW),
            ("up+2009", "Up", 96, "2009-05-13", ["Animation"], NOW),
        ]
        assert connection.execute(
            "SELECT user_id, age, gender, occupation FROM app_user ORDER BY user_id"
        ).fetchall() == [(1, 34, "M", "sales"), (2, None, None, None)]


def test_an_api_that_takes_one_id_at_a_time_is_asked_one_by_one(conninfo, retention):
    land(conninfo, [AccountCreated(NOW, 1), AccountCreated(NOW, 2)])
    discover(retention)
    answers = {"/user/1": {"user_id": "1", "age": "34"}, "/user/2": {"user_id": "2", "age": "null"}}
    with metadata_api(answers) as root:
        describe(retention, ask_api(root), NOW)
    with psycopg.connect(conninfo("trainer")) as connection:
        assert connection.execute(
            "SELECT user_id, age FROM app_user ORDER BY user_id"
        ).fetchall() == [(1, 34), (2, None)]

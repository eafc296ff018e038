"""A backup of a real database and of folders in the volumes' place, and the way back from it."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from compose.backup.archive import unpack
from compose.backup.backup import Run, back_up
from compose.backup.database import restore
from compose.backup.errors import ChangingError, IncompleteError
from compose.backup.folder import (
    DATABASE,
    MANIFEST,
    MODELS,
    SECRETS,
    STATE,
    check,
    finished,
    read_manifest,
)
from compose.backup.metrics import BackupMetrics
from compose.backup.settings import Settings
from compose.service.schedule import next_due
from tests.stores import OWNER, database, service_environment

LIVE = "20260101-000000-ease"


@dataclass
class Stack:
    """Folders in the place of volumes, a database, and what a backup of them said."""

    settings: Settings
    owner: str
    said: list[str] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)

    def back_up(self, *, stopped: bool = False) -> Path:
        clock = partial(datetime.now, UTC)
        return back_up(Run(self.settings, clock, self.say, lambda: stopped, self.tell_share))

    def tell_share(self, _words: str, share: float) -> None:
        self.shares.append(share)

    def say(self, words: str) -> None:
        self.said.append(words)

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.owner, autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture
def stack(conninfo, tmp_path, monkeypatch) -> Stack:
    for name, value in service_environment(conninfo("backup"), tmp_path).items():
        monkeypatch.setenv(name, value)
    settings = Settings(**{n: tmp_path / n for n in ("backups", "secrets", "models", "state")})
    write(settings.models / "versions" / LIVE / "top_items.npy", "items")
    write(settings.models / "versions/.tmp-unfinished/top_items.npy", "half")
    write(settings.models / "versions/20260202-000000-nobody-knows/top_items.npy", "unrecorded")
    write(settings.models / ".git/refs/heads/main", "a commit")
    write(settings.state / "slots/blue.json", json.dumps({"model_version": LIVE}))
    write(settings.state / "splits/00000001/007", "")
    (settings.state / "split").mkdir()
    (settings.state / "split/live").symlink_to("../splits/00000001")
    write(settings.secrets / "ingest", "a password")
    (settings.secrets / "ingest").chmod(0o400)
    made = Stack(settings, conninfo("marquee"))
    made.execute(
        "INSERT INTO model_version (version, algorithm, created_at, git_commit, data_hash,"
        " interactions, users, movies, figures, manifest, verdict, reason)"
        f" VALUES ('{LIVE}', 'ease', now(), 'commit', 'hash', 1, 1, 1, '{{}}', '{{}}',"
        " 'accepted', 'good')"
    )
    made.execute(
        "INSERT INTO rating (time, user_id, movie_id, rating, log_partition, log_offset)"
        " SELECT now(), number, 'toy+story+1995', 4, 0, number FROM generate_series(1, 5000) number"
    )
    made.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
        " VALUES ('train', 'train', 'todo')"
    )
    return made


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The owner's conninfo of another, empty database on the same server."""
    with database("restored") as name:
        yield make_conninfo(OWNER, dbname=name)


def rows(conninfo: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(conninfo) as connection:
        return connection.execute(query.encode()).fetchall()


def test_from_the_second_on_a_backup_tells_how_far_it_is(stack):
    """By what the one before took: nobody knows how small a dump becomes."""
    for number in range(40):
        write(stack.settings.models / f".git/objects/{number:02}", "x" * 100_000)
    stack.back_up()
    assert stack.shares == []
    stack.back_up()
    assert len(stack.shares) > 5
    assert stack.shares == sorted(set(stack.shares))
    assert all(0 < share < 1 for share in stack.shares)


def test_tables_owners_and_rights_are_the_same_after_the_way_back(stack, elsewhere):
    folder = stack.back_up()
    restore(elsewhere, folder / DATABASE)
    owned = "SELECT relname, relowner::regrole, relacl::text FROM pg_class"
    for query in (
        "SELECT * FROM rating ORDER BY log_offset",
        "SELECT version FROM model_version",
        f"{owned} WHERE relname NOT LIKE 'pg_toast%' ORDER BY 1, 2",
    ):
        assert rows(elsewhere, query) == rows(stack.owner, query) != []


def test_what_was_asked_for_is_not_asked_for_again_and_no_job_gets_an_old_number(stack, elsewhere):
    restore(elsewhere, stack.back_up() / DATABASE)
    assert rows(elsewhere, "SELECT FROM procrastinate_jobs") == []
    number = "SELECT last_value FROM procrastinate_jobs_id_seq"
    assert rows(elsewhere, number) == rows(stack.owner, number)


def test_rows_that_land_while_a_backup_is_taken_are_in_it_all_or_not_at_all(stack, elsewhere):
    taken = stack.say

    def land(words: str) -> None:
        stack.execute("UPDATE rating SET rating = 1")
        taken(words)

    stack.say = land  # said after the snapshot, before the dump
    restore(elsewhere, stack.back_up() / DATABASE)
    assert rows(elsewhere, "SELECT DISTINCT rating FROM rating") == [(4,)]


def test_volumes_come_back_with_owners_modes_and_links(stack, tmp_path):
    folder = stack.back_up()
    for archive in (MODELS, STATE, SECRETS):
        (tmp_path / "back" / archive).mkdir(parents=True)
        unpack(folder / archive, tmp_path / "back" / archive)
    secret = tmp_path / "back" / SECRETS / "ingest"
    assert secret.read_text() == "a password"
    assert secret.stat().st_mode & 0o777 == 0o400
    live = tmp_path / "back" / STATE / "split/live"
    assert live.readlink() == Path("../splits/00000001")
    assert [path.name for path in live.iterdir()] == ["007"]


def test_of_the_models_only_what_the_database_knows_is_copied(stack, tmp_path):
    (tmp_path / "back").mkdir()
    unpack(stack.back_up() / MODELS, tmp_path / "back")
    assert [path.name for path in (tmp_path / "back/versions").iterdir()] == [LIVE]
    assert (tmp_path / "back/.git/refs/heads/main").read_text() == "a commit"


def test_it_says_what_it_is_of(stack):
    folder = stack.back_up()
    assert list(check(folder))
    manifest = read_manifest(folder)
    (revision,) = rows(stack.owner, "SELECT version_num FROM alembic_version")[0]
    assert (manifest.revision, manifest.lines, manifest.project) == (revision, 0, "marquee")
    assert any(words.startswith("database.dump: ") for words in stack.said)


def test_nobody_but_its_owner_can_read_it(stack):
    folder = stack.back_up()
    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


def test_what_a_training_changed_meanwhile_is_copied_again(stack):
    taken = stack.say

    def train_once(words: str) -> None:
        stack.say = taken
        write(stack.settings.models / ".git/refs/heads/main", "another commit")
        taken(words)

    stack.say = train_once
    assert list(check(stack.back_up()))
    assert any("copying all of it again" in words for words in stack.said)


def test_what_changes_each_time_is_given_up_and_leaves_nothing(stack):
    stack.say = lambda _words: write(
        stack.settings.models / "versions" / os.urandom(4).hex() / "f", ""
    )
    with pytest.raises(ChangingError):
        stack.back_up()
    assert list(stack.settings.backups.iterdir()) == []


def test_a_slot_that_is_told_to_run_what_is_not_there_is_said(stack):
    shutil.rmtree(stack.settings.models / "versions" / LIVE)
    with pytest.raises(IncompleteError, match=LIVE):
        stack.back_up()
    assert list(stack.settings.backups.iterdir()) == []


def test_a_slots_file_that_is_being_written_meanwhile_is_no_slots_file_yet(stack):
    write(stack.settings.state / "slots/.tmp-blue.json", '{"model_ver')
    check(stack.back_up())


def test_a_slots_file_that_is_damaged_is_said(stack):
    write(stack.settings.state / "slots/blue.json", '{"model_ver')
    with pytest.raises(IncompleteError, match=r"blue\.json names no model version"):
        stack.back_up()


def test_older_ones_that_cannot_be_deleted_are_said_and_the_new_one_stands(stack, monkeypatch):
    def refused(*_arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("compose.backup.backup.prune", refused)
    assert list(check(stack.back_up()))
    assert any("Operation not permitted" in words for words in stack.said)


def test_a_backup_that_is_told_to_stop_leaves_nothing(stack):
    with pytest.raises(IncompleteError, match="told to stop"):
        stack.back_up(stopped=True)
    assert list(stack.settings.backups.iterdir()) == []


def test_a_dump_that_was_cut_off_leaves_the_database_as_it_was(stack, elsewhere, tmp_path):
    dump = (stack.back_up() / DATABASE).read_bytes()
    (tmp_path / "cut").write_bytes(dump[: len(dump) // 2])
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    with pytest.raises(IncompleteError, match="pg_restore"):
        restore(elsewhere, tmp_path / "cut")
    assert rows(elsewhere, "SELECT one FROM kept") == [(1,)]


def test_a_dump_from_before_evaluation_followed_receipts_comes_back(stack, elsewhere):
    stack.execute("DROP TABLE evaluation_progress; ALTER TABLE receipt DROP COLUMN stored_in")
    restore(elsewhere, stack.back_up() / DATABASE)
    assert rows(elsewhere, "SELECT count(*) FROM rating") == [(5000,)]


def test_prometheus_is_told_of_the_newest_whole_backup(stack):
    registry = CollectorRegistry()
    now = datetime.now(UTC)
    moments = [now - timedelta(days=30)]
    metrics = BackupMetrics(registry, "0 2 * * 0", lambda: moments[-1])
    due = partial(
        registry.get_sample_value, "marquee_next_run_timestamp_seconds", {"task": "backup"}
    )
    metrics.show(stack.settings.backups, "marquee")
    assert due() == next_due("0 2 * * 0", now - timedelta(days=30)).timestamp()
    assert registry.get_sample_value("marquee_backup_newest_timestamp_seconds") == 0
    stack.back_up()
    moments.append(datetime.now(UTC))
    metrics.show(stack.settings.backups, "marquee")
    newest = registry.get_sample_value("marquee_backup_newest_timestamp_seconds")
    assert abs(newest - datetime.now(UTC).timestamp()) < 60
    assert due() == next_due("0 2 * * 0", datetime.fromtimestamp(newest, UTC)).timestamp()
    assert registry.get_sample_value("marquee_backups_kept") == 1
    assert finished(stack.settings.backups, "marquee")


def test_prometheus_is_told_of_the_newest_that_can_be_read_and_is_not_from_the_future(stack):
    whole, damaged, later = (stack.back_up() for _ in range(3))
    (damaged / MANIFEST).write_text("half of it")
    in_years = replace(read_manifest(later), taken_at="2099-01-01T00:00:00+00:00")
    (later / MANIFEST).write_bytes(in_years.text())
    registry = CollectorRegistry()
    clock = partial(datetime.now, UTC)
    BackupMetrics(registry, "0 2 * * *", clock).show(stack.settings.backups, "marquee")
    newest = registry.get_sample_value("marquee_backup_newest_timestamp_seconds")
    assert newest == datetime.fromisoformat(read_manifest(whole).taken_at).timestamp()
    assert registry.get_sample_value("marquee_backups_kept") == 3


def test_a_restore_leaves_no_database_of_its_own_behind(stack, elsewhere):
    restore(elsewhere, stack.back_up() / DATABASE)
    name = conninfo_to_dict(elsewhere)["dbname"]
    query = sql.SQL("SELECT FROM pg_database WHERE datname = {}")
    with psycopg.connect(OWNER) as server:
        left = server.execute(query.format(sql.Literal(f"{name}_restoring"))).fetchall()
    assert left == []

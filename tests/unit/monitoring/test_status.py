import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from monitoring.status.containers import Service
from monitoring.status.overview import Fact, ago
from monitoring.status.status import database_facts, ingest_lag, last_backup, table

NOWHERE = "http://127.0.0.1:1/metrics"


def rendered(services, facts):
    out = io.StringIO()
    Console(file=out, width=100).print(table(services, facts))
    return out.getvalue()


@pytest.mark.parametrize("well", [True, False])
def test_only_what_is_not_well_is_marked(well):
    assert ("!" in rendered([Service("kafka", "running", well)], [])) is not well


def test_text_from_the_database_is_never_read_as_markup():
    assert "[bold]v1" in rendered([], [Fact("live model", "[bold]v1")])


def test_the_lag_is_unknown_when_ingest_does_not_answer():
    assert ingest_lag(NOWHERE).text.startswith("unknown")


def test_the_lag_is_the_sum_over_the_partitions(tmp_path):
    page = tmp_path / "metrics"
    page.write_text(
        "# TYPE marquee_ingest_lag_records gauge\n"
        'marquee_ingest_lag_records{partition="0"} 1000\n'
        'marquee_ingest_lag_records{partition="1"} 234\n'
    )
    assert ingest_lag(page.as_uri()).text == "1,234 records"


def test_a_database_that_is_gone_takes_one_line():
    (fact,) = database_facts("host=127.0.0.1 port=1 connect_timeout=1", datetime.now(UTC))
    assert (fact.name, fact.well, "\n" in fact.text) == ("database", False, False)


def backup_page(tmp_path, taken, due=None):
    page = tmp_path / "metrics"
    page.write_text(
        f"marquee_backup_newest_timestamp_seconds {taken.timestamp() if taken else 0}\n"
        f"marquee_backup_newest_bytes {3 * 2**20}\n"
        + (
            f'marquee_next_run_timestamp_seconds{{task="backup"}} {due.timestamp()}\n'
            if due
            else ""
        )
    )
    return page.as_uri()


NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("due_hours", "well"), [(120, True), (-1, True), (-3, False), (None, True)]
)
def test_a_backup_that_is_overdue_by_its_schedule_is_marked(tmp_path, due_hours, well):
    due = None if due_hours is None else NOW + timedelta(hours=due_hours)
    taken = NOW - timedelta(hours=50)
    fact = last_backup(backup_page(tmp_path, taken, due), NOW)
    assert (fact.text, fact.well) == (f"{ago(taken, NOW)}, 3 MiB", well)


def test_before_the_first_backup_the_command_for_one_is_shown(tmp_path):
    fact = last_backup(backup_page(tmp_path, None), NOW)
    assert ("make backup" in fact.text, fact.well) == (True, True)


def test_a_backup_service_that_does_not_answer_is_marked():
    assert not last_backup(NOWHERE, NOW).well

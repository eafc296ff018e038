import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from monitoring.status.containers import Service
from monitoring.status.overview import Fact
from monitoring.status.status import database_facts, ingest_lag, table

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

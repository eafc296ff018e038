"""Whether the database knows each kind of line that `ingest.lines.grammar` declares."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from ingest.audit.audit import audit
from ingest.landing.admission_rules import AdmissionRules
from ingest.landing.transaction import Landing, connect
from ingest.lines.grammar import (
    KINDS,
    ONE_TO_FIVE,
    AccountCreated,
    Rated,
    Requested,
    Watched,
    format_line,
)
from ingest.lines.slices import Slice
from ingest.offsets import store_first_offsets
from monitoring.status.overview import row_counts

POSITION = ("log_partition", "log_offset")
NOW = datetime.now(UTC)
EXAMPLES = (
    Watched(NOW, 1, "up+2009", 1),
    Rated(NOW, 1, "up+2009", 4.0),
    Requested(NOW, 1, "host:8082", 200, ("up+2009",), None, 12),
    AccountCreated(NOW, 2),
)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request):
    return request.param


@pytest.fixture
def ask(conninfo):
    """What the first column of a query's rows says, asked by the owner."""
    with psycopg.connect(conninfo("marquee"), autocommit=True) as connection:

        def rows(query: str, **values: str) -> list[object]:
            return [first for first, *_ in connection.execute(query, values).fetchall()]

        yield rows


def test_its_table_has_the_columns_of_its_event_and_those_of_its_place(ask, kind):
    columns = ask(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %(table)s"
        " ORDER BY ordinal_position",
        table=kind.table,
    )
    assert columns == [*kind.columns, *POSITION]


def test_retention_owns_its_table_and_ingest_may_write_and_audit_it(ask, kind):
    owner = "SELECT relowner::regrole::text FROM pg_class WHERE oid = %(table)s::regclass"
    may = "SELECT has_table_privilege('ingest', %(table)s, 'SELECT') AND has_table_privilege('ingest', %(table)s, 'INSERT')"  # noqa: E501 -- one statement
    assert ask(owner, table=kind.table) == ["retention"]
    assert ask(may, table=kind.table) == [True]


def test_it_is_in_the_view_of_what_came_in(ask, kind):
    seen = "SELECT table_name FROM information_schema.view_table_usage WHERE view_name = 'arrival'"
    assert kind.table in ask(seen)


def test_the_status_says_how_many_there_are(conninfo, kind):
    with psycopg.connect(conninfo("evaluation"), autocommit=True) as connection:
        assert kind.table in {fact.name for fact in row_counts(connection)}


def test_the_audit_has_a_term_for_it(conninfo, kind):
    (line,) = (format_line(event) for event in EXAMPLES if isinstance(event, kind.event))
    with connect(conninfo("ingest")) as connection:
        rules = AdmissionRules(connection, ONE_TO_FIVE, timedelta(minutes=5))
        landing = Landing(connection, "topic", rules)
        store_first_offsets(connection, "topic", {0: 0})
        landing.land(landing.prepare([Slice(0, 0, [line])], NOW), NOW)
    with psycopg.connect(conninfo("retention"), autocommit=True) as connection:
        (found,) = audit(connection, NOW)
    assert (getattr(found, kind.term), found.balanced) == (1, True)

"""A clock that is slow: this host's, an hour behind that of whoever publishes."""

from datetime import timedelta

from ingest.landing.admission_rules import AdmissionRules
from ingest.landing.transaction import Landing, connect
from ingest.lines.grammar import ONE_TO_FIVE, AccountCreated, format_line
from ingest.lines.slices import Slice
from ingest.offsets import store_first_offsets
from tests.integration.ingesting import landed_users, now, refused_lines

HOUR = timedelta(hours=1)


def test_lines_that_a_slow_clock_takes_for_the_future_land(conninfo, topic):
    there = now()
    here = there - HOUR
    lines = [format_line(AccountCreated(at, user)) for user, at in ((1, there), (2, there + HOUR))]
    published_ms = int(there.timestamp() * 1000)
    with connect(conninfo("ingest")) as connection:
        store_first_offsets(connection, topic, {0: 0})
        landing = Landing(
            connection, topic, AdmissionRules(connection, ONE_TO_FIVE, timedelta(minutes=5))
        )
        batch = [Slice(0, 0, lines, published_ms=published_ms)]
        landing.land(landing.prepare(batch, here), here)
    assert landed_users(conninfo("marquee")) == [1]
    assert refused_lines(conninfo("marquee")) == ["future"]

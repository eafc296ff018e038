"""Each fault of the drill that needs no engine, once and small."""

import pytest

from tests.drill.ingest import connection_cut, paused_past_its_lease, poison, sigkill, two_at_once


@pytest.mark.parametrize(
    ("fault", "lines"),
    [
        (sigkill, 50_000),
        (two_at_once, 5_000),
        (paused_past_its_lease, 10_000),
        (connection_cut, 30_000),
        (poison, 5_000),
    ],
)
def test_a_fault_loses_and_doubles_nothing(fault, lines):
    assert "each landed once; the audit balances" in fault(1, lines)

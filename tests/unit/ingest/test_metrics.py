"""What the two processes of this package tell Prometheus."""

from ingest.lines.grammar import Reason
from ingest.metrics import INGEST, RETENTION, show_all_reasons


def own_names(registry):
    return {family.name for family in registry.collect() if family.name.startswith("marquee_")}


def test_no_figure_is_exported_by_both_processes():
    assert own_names(INGEST) & own_names(RETENTION) == set()


def test_a_process_exports_what_it_sets():
    assert {"marquee_ingest_rows", "marquee_ingest_lag_records"} <= own_names(INGEST)
    assert {"marquee_retention_last_pass_timestamp_seconds"} <= own_names(RETENTION)


def test_what_no_line_was_refused_for_yet_is_0_and_not_unknown():
    show_all_reasons()
    for reason in Reason:
        refused = INGEST.get_sample_value("marquee_ingest_rejects_total", {"reason": reason})
        assert refused is not None, reason


def test_both_tell_when_they_started():
    for registry in (INGEST, RETENTION):
        assert registry.get_sample_value("process_start_time_seconds") > 0

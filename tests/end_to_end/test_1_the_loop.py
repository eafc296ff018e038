"""Lines become rows, rows a model, the model answers, answers become lines again."""

import json
import os
import urllib.request

import pytest

from tests.waiting import eventually

RELATIONS = [
    "watch",
    "viewing",
    "rating",
    "recommendation_request",
    "account",
    "movie",
    "app_user",
    "reject",
    "stream_offset",
    "ingest_audit",
    "receipt",
    "model_version",
    "deployment",
    "online_metric",
]


def test_ten_users_get_twenty_distinct_movies_each_and_not_all_the_same(stack):
    lists = [stack.recommend(user) for user in range(1, 11)]
    assert all(len(movies) == len(set(movies)) == 20 for movies in lists)
    assert len({tuple(movies) for movies in lists}) >= 5


def test_an_unknown_user_gets_twenty_movies_too(stack):
    assert len(set(stack.recommend(987_654_321))) == 20


@pytest.mark.parametrize("relation", RELATIONS)
def test_every_relation_has_rows_after_some_simulated_traffic(stack, relation):
    eventually(
        lambda: stack.sql(f"SELECT 1 FROM {relation} LIMIT 1"),
        seconds=120,
        what=f"a row in {relation}",
    )


def test_the_audit_balances_while_lines_flow(stack):
    audits = stack.sql(
        "SELECT log_partition, bool_and(balanced), max(consumed) FROM ingest_audit GROUP BY 1"
    )
    assert audits
    assert all(balanced and consumed > 0 for _partition, balanced, consumed in audits)


def test_receipts_tell_which_version_answered_whom(stack):
    stack.recommend(42)
    eventually(
        lambda: stack.sql(
            "SELECT 1 FROM receipt JOIN model_version ON version = model_version"
            " WHERE user_id = 42 AND slot IN ('blue', 'green') LIMIT 1"
        ),
        seconds=10,
        what="a receipt for user 42 that names a model version",
    )


def test_a_retrain_and_a_release_have_happened(stack):
    released = stack.sql("SELECT DISTINCT version FROM deployment WHERE step = 'promote'")
    assert len(released) >= 2


def test_how_good_what_is_live_is_and_each_version_was_is_one_line(stack):
    now = "SELECT live_version, hit_rate FROM live_now WHERE answers > 0"
    eventually(lambda: stack.sql(now), seconds=120, what="judged answers of the live version")
    ((live, _),) = stack.sql("SELECT live_version, hit_rate FROM live_now")
    versions = stack.sql("SELECT model_version, count(*) FROM version_quality GROUP BY 1")
    assert (live, 1) in versions
    assert {count for _, count in versions} == {1}


def test_status_is_one_table_that_names_every_service(stack):
    status = stack.make("status")
    assert status.returncode == 0, status.stdout + status.stderr
    for service in stack.compose("config", "--services").split():
        assert service in status.stdout


def test_prometheus_reaches_every_target():
    port = os.environ["PROMETHEUS_PORT"]

    def down() -> list[str]:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/targets") as response:
            targets = json.load(response)["data"]["activeTargets"]
        assert targets
        wanted = (target for target in targets if target["labels"]["job"] != "optional")
        return [target["scrapeUrl"] for target in wanted if target["health"] != "up"]

    eventually(lambda: not down(), seconds=60, what="every Prometheus target up")

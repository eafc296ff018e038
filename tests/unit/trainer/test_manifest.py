import json
from dataclasses import replace
from pathlib import Path

import pytest

from trainer.errors import NewerVersionError
from trainer.versions.manifest import ADDED, SCHEMA, Manifest

SCHEMA_1 = (Path(__file__).parent / "manifests" / "schema_1.json").read_bytes()
"""Written by the last code of schema 1, for a version beside a live one."""
FLAT = json.loads(SCHEMA_1)["figures"]


@pytest.fixture
def manifest():
    return Manifest.parse(SCHEMA_1)


def test_a_manifest_is_read_as_it_was_written(manifest):
    assert Manifest.parse(manifest.text()) == manifest


def test_a_manifest_of_schema_1_is_read_as_one_of_today(manifest):
    assert (manifest.algorithm, manifest.item_model) == ("ease", "item_weights")
    assert manifest.schema == SCHEMA


def test_every_figure_of_schema_1_has_its_place(manifest):
    figures = manifest.figures
    assert figures["algorithms"]["ease"]["ndcg20"] == FLAT["ndcg20_ease"]
    assert figures["algorithms"]["recency_ease"]["map20"] == FLAT["map20_recency_ease"]
    assert figures["algorithms"]["svdpp"]["rmse"] == FLAT["rmse_svdpp"]
    assert figures["algorithms"]["als"]["validation_ndcg20"] == FLAT["validation_ndcg20_als"]
    assert figures["live"]["ndcg20"] == FLAT["ndcg20_live"]
    assert figures["gains"]["over_live"] == FLAT["ndcg20_gain_over_live"]
    assert figures["segments"]["new_users"] == FLAT["segment_ndcg20_new_users"]
    assert figures["later"] == {
        "chosen": FLAT["later_ndcg20"],
        "popularity": FLAT["later_ndcg20_popularity"],
    }
    assert figures["size_mib"] == FLAT["size_mib"]


def test_no_figure_of_schema_1_is_lost(manifest):
    assert sorted(map(str, leaves(manifest.figures))) == sorted(map(str, FLAT.values()))


def leaves(figures):
    for figure in figures.values():
        if "value" in figure:
            yield figure
        else:
            yield from leaves(figure)


def test_a_manifest_of_before_sources_and_priors_were_stated_is_read_with_what_held_then(manifest):
    content = json.loads(manifest.text())
    for name in ADDED:
        del content[name]
    assert Manifest.parse(json.dumps(content).encode()) == manifest


def test_a_later_schema_is_refused(manifest):
    with pytest.raises(NewerVersionError, match=f"schema {SCHEMA + 1}, and this code reads"):
        Manifest.parse(replace(manifest, schema=SCHEMA + 1).text())


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"schema": 1}', b'{"schema": 2}'])
def test_what_is_no_manifest_is_refused(text):
    with pytest.raises((ValueError, KeyError)):
        Manifest.parse(text)

"""What each release proved, kept in the database; whatever was changed of it is found."""

import json

import pytest

from ci.__main__ import tell_certificates
from ci.certificate.chain import check
from ci.release.rollout import release, rollback
from tests.integration.releasing import V1, V2, V3


@pytest.fixture
def released(stage):
    """Three versions live one after the other, and a rollback."""
    stage.answered(7)
    for version in (V1, V2, V3):
        release(stage.environment, version)
    rollback(stage.environment)
    assert check(stage.owner).problems == ()
    return stage


def certificates(stage):
    rows = stage.owner.execute(
        "SELECT certificate FROM deployment WHERE step = 'promote' ORDER BY step_id"
    )
    return [json.loads(certificate) for (certificate,) in rows]


def test_a_release_certifies_what_its_slots_answered_and_what_it_was_judged_by(released):
    _first, second, *_ = certificates(released)
    assert (second["action"], second["version"], second["in_place_of"]) == ("release", V2, V1)
    assert second["requests"] > 0
    assert second["failed"] == 0
    assert second["failing_share_at_most"] == min(1, 3 / second["requests"])
    assert {gate["metric"] for gate in second["gates"]} >= {"failed_share", "overlap"}
    assert [step["step"] for step in second["steps"]][:4] == ["start", "place", "ready", "replay"]


def test_a_rollback_does_not_wait_to_count_and_says_so(released):
    last = certificates(released)[-1]
    assert (last["action"], last["requests"], last["failed"]) == ("rollback", None, None)


def test_each_certificate_names_the_one_before_it(released):
    assert [told["previous"] for told in certificates(released)] == [
        None,
        *check(released.owner).hashes[:-1],
    ]


def test_anybody_can_compute_the_hashes_in_psql(released):
    rows = released.owner.execute(
        "SELECT certificate_hash = encode(sha256(convert_to(certificate, 'UTF8')), 'hex')"
        " FROM deployment WHERE step = 'promote'"
    )
    assert rows.fetchall() == [(True,)] * 4


CERTIFIED = f"step = 'promote' AND action = 'release' AND version = '{V2}'"
FORGED = "replace(certificate, '\"failed\":0', '\"failed\":1')"
HASH = "encode(sha256(convert_to({}, 'UTF8')), 'hex')"

CHANGES = {
    f"UPDATE deployment SET certificate = {FORGED} WHERE {CERTIFIED}": (
        "the certificate was changed"
    ),
    (
        f"UPDATE deployment SET certificate = {FORGED}, certificate_hash = {HASH.format(FORGED)}"
        f" WHERE {CERTIFIED}"
    ): "does not follow the one before it",
    f"DELETE FROM deployment WHERE {CERTIFIED}": "does not follow the one before it",
    f"UPDATE deployment SET certificate = NULL WHERE {CERTIFIED}": "has no certificate",
    f"UPDATE deployment SET version = '{V1}' WHERE {CERTIFIED}": (
        f"the row says version {V1}, the certificate {V2}"
    ),
    "UPDATE deployment SET reason = 'all was well' WHERE step = 'watch'": (
        "is not as it was when the certificate was issued"
    ),
    "UPDATE gate_measurement SET value = 0 WHERE metric = 'requests'": (
        "is not as it was when the certificate was issued"
    ),
}
"""What somebody changes afterwards, and what then is said of it."""


def test_what_was_changed_afterwards_is_found(released):
    for change, words in CHANGES.items():
        with released.owner.transaction(force_rollback=True):
            assert released.owner.execute(change.encode()).rowcount > 0, change
            problems = check(released.owner).problems
        assert any(words in problem for problem in problems), (change, problems)
    assert check(released.owner).problems == ()


def test_removing_the_newest_is_found_by_who_noted_its_hash(released, capsys):
    newest = check(released.owner).hashes[-1]
    assert tell_certificates(check(released.owner), newest) == 0
    released.owner.execute("DELETE FROM deployment WHERE certificate_hash = %s", (newest,))
    assert tell_certificates(check(released.owner), None) == 0
    assert tell_certificates(check(released.owner), newest) == 1
    assert f"no certificate has the hash {newest}" in capsys.readouterr().err


def test_versions_that_went_live_before_there_were_certificates_need_none(released):
    released.owner.execute(
        "UPDATE deployment SET certificate = NULL, certificate_hash = NULL WHERE step = 'promote'"
    )
    release(released.environment, V3)
    checked = check(released.owner)
    assert checked.problems == ()
    assert len(checked.hashes) == 1

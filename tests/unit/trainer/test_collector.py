from hypothesis import given
from hypothesis import strategies as st

from trainer.collector import assigned, collect, obsolete

NAMES = st.lists(st.text("abcdefgh", min_size=1), unique=True).map(sorted)


def test_the_newest_stay():
    assert obsolete(["a", "b", "c"], 2, []) == ["a"]


def test_fewer_than_are_kept_all_stay():
    assert obsolete(["a", "b"], 10, []) == []


def test_what_is_needed_stays_however_old():
    assert obsolete(["a", "b", "c", "d"], 1, ["a"]) == ["b", "c"]


@given(NAMES, st.integers(1, 5), st.data())
def test_what_is_needed_or_among_the_newest_never_goes(names, keep, data):
    needed = data.draw(st.lists(st.sampled_from(names))) if names else []
    leaving = obsolete(names, keep, needed)
    assert not set(leaving) & {*needed, *names[-keep:]}
    assert set(names) - set(leaving) <= {*needed, *names[-keep:]}


def test_removed_versions_are_named_and_gone(tmp_path):
    for name in ("a", "b", ".tmp-c"):
        (tmp_path / name).mkdir()
    assert collect(tmp_path, 1, []) == ["a"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".tmp-c", "b"]


def test_what_the_slots_are_told_to_hold_is_assigned(tmp_path):
    (tmp_path / "blue.json").write_text('{"model_version": "a", "assigned_at": "now"}')
    (tmp_path / "green.json").write_text('{"model_version": "b", "assigned_at": "now"}')
    assert assigned(tmp_path) == {"a", "b"}


def test_without_slots_nothing_is_assigned(tmp_path):
    assert assigned(tmp_path / "nowhere") == set()

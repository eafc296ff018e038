from hypothesis import given
from hypothesis import strategies as st

from trainer.versions.retention import Keeping, Removals, collect, obsolete, plan

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


def keeping(newest=1, bytes_in_all=1_000, needed=(), explained=()):
    return Keeping(newest, bytes_in_all, needed, explained)


def write(versions, *names):
    for name in names:
        (versions / name).mkdir()
        for file in ("manifest.json", "top_items.npy", "popular.npy", "weights_data.npy"):
            (versions / name / file).write_bytes(bytes(25))


def test_removed_versions_are_named_and_gone(tmp_path):
    write(tmp_path, "a", "b", ".tmp-c")
    planned = plan(tmp_path, keeping())
    collect(tmp_path, planned)
    assert planned == Removals(removed=["a"], stripped=[])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".tmp-c", "b"]


def test_a_plan_changes_nothing(tmp_path):
    write(tmp_path, "a", "b")
    plan(tmp_path, keeping())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_of_what_receipts_name_manifest_and_lists_stay(tmp_path):
    write(tmp_path, "a", "b")
    planned = plan(tmp_path, keeping(explained=["a", "b"]))
    collect(tmp_path, planned)
    assert planned == Removals(removed=[], stripped=["a"])
    left = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert left == ["manifest.json", "top_items.npy"]
    assert plan(tmp_path, keeping(explained=["a"])) == Removals([], [])


def test_above_the_budget_the_oldest_go(tmp_path):
    write(tmp_path, "a", "b", "c")
    assert plan(tmp_path, keeping(newest=3, bytes_in_all=200)).removed == ["a"]


def test_the_budget_never_takes_what_is_needed_nor_the_newest(tmp_path):
    write(tmp_path, "a", "b", "c")
    assert plan(tmp_path, keeping(newest=3, bytes_in_all=0, needed=["a"])).removed == ["b"]

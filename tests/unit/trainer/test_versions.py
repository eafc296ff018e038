import hashlib
import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from trainer.errors import (
    DamagedVersionError,
    ExistingVersionError,
    NewerVersionError,
    TrainerError,
)
from trainer.versions.contents import LIST_LENGTH, Contents, SeenItems, TopLists
from trainer.versions.directory import remove_unfinished, remove_version, version_names
from trainer.versions.item_models.factors import FactorModel
from trainer.versions.item_models.item_weights import ItemWeightsModel
from trainer.versions.item_models.popularity import PopularityModel
from trainer.versions.manifest import Manifest
from trainer.versions.reader import read_version
from trainer.versions.writer import version_name, write_version

MOVIES = ("alien+1979", "brazil+1985", "casablanca+1942", "délicatessen+1991")
POPULAR = np.array([2, 0, 3, 1], np.int32)
WEIGHTS = ItemWeightsModel(
    sparse.csr_array(np.array([[0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0.5], [0, 0, 0, 0]], "f4")),
    midpoint=2.5,
    watched_preference=1.0,
)
FACTORS = FactorModel(
    factors=np.array([[1, 0], [1, 0], [-1, 0], [0, 1]], "f4"),
    offsets=np.array([3, 3, 3, 3.5], "f4"),
    prior=np.zeros(4, "f4"),
    regularisation=0.02,
)
MODELS: dict[str, tuple[Any, dict[str, float]]] = {
    "popularity": (PopularityModel(POPULAR), {}),
    "ease": (WEIGHTS, {"midpoint": 2.5, "watched_preference": 1.0}),
    "svd": (FACTORS, {"regularisation": 0.02}),
}


def manifest(algorithm="ease"):
    return Manifest(
        version=f"20250131-030000-{algorithm}",
        algorithm=algorithm,
        parameters=MODELS[algorithm][1],
        created_at="2025-01-31T03:00:00+00:00",
        data={"interactions": 3},
        code={"git_commit": "unknown", "lock_sha256": "unknown"},
        machine={"cpu": "a cpu", "threads": 1},
        libraries={},
        figures={"algorithms": {"ease": {"ndcg20": {"value": 0.14, "low": 0.13, "high": 0.15}}}},
        gate={"verdict": "accepted", "reason": "better than popularity"},
    )


def padded(rows, by, kind):
    return np.pad(np.array(rows, kind), [(0, 0), (0, LIST_LENGTH - 2)], constant_values=by)


def contents(algorithm="ease"):
    return Contents(
        movies=MOVIES,
        users=np.array([3, 7], np.int64),
        popular=POPULAR,
        top=TopLists(padded([[1, 3], [0, -1]], -1, "i4"), padded([[2, 1], [1, 0]], 0, "f4")),
        seen=SeenItems(
            np.array([0, 2, 3], np.int64),
            np.array([0, 2, 1], np.int32),
            np.array([5, np.nan, 3], np.float32),
        ),
        model=MODELS[algorithm][0],
    )


@pytest.fixture
def version(tmp_path):
    write_version(tmp_path, manifest(), contents())
    return tmp_path / manifest().version


def with_schema(version: Path, schema: int):
    write_version(version.parent / "other", replace(manifest(), schema=schema), contents())
    return version.parent / "other" / version.name


def test_a_version_is_read_as_it_was_written(version):
    read = read_version(version)
    assert read.name == "20250131-030000-ease"
    assert read.movies == MOVIES
    assert read.movie_index["casablanca+1942"] == 2
    assert read.manifest.figures == manifest().figures
    assert read.popular.tolist() == [2, 0, 3, 1]


def test_a_known_user_has_a_list_without_padding(version):
    assert read_version(version).user(3).top_items.tolist() == [1, 3]
    assert read_version(version).user(7).top_items.tolist() == [0]


@pytest.mark.parametrize("stranger", [-1, 0, 4, 8, 2**62])
def test_a_stranger_has_no_list_and_has_seen_nothing(version, stranger):
    record = read_version(version).user(stranger)
    assert not record.is_known
    assert record.top_items.tolist() == record.seen.tolist() == []


def test_a_known_user_has_seen_what_was_stored(version):
    assert read_version(version).user(3).seen.tolist() == [0, 2]
    assert read_version(version).user(7).seen.tolist() == [1]


def of_some(listed):
    """The same, with lists of the users in these rows alone."""
    top = contents().top
    some = TopLists(top.items[listed], top.scores[listed])
    return replace(contents(), top=some, listed=np.array(listed, np.int32))


@pytest.mark.parametrize(
    ("listed", "lists"), [([0], [[1, 3], []]), ([1], [[], [0]]), ([], [[], []])]
)
def test_who_has_no_list_is_known_all_the_same(tmp_path, listed, lists):
    write_version(tmp_path, manifest(), of_some(listed))
    users = [read_version(tmp_path / manifest().version).user(user) for user in (3, 7)]
    assert [user.top_items.tolist() for user in users] == lists
    assert [user.awaits_list for user in users] == [row not in listed for row in (0, 1)]
    assert [user.seen.tolist() for user in users] == [[0, 2], [1]]


def test_who_never_was_known_awaits_no_list(tmp_path):
    write_version(tmp_path, manifest(), of_some([0]))
    assert not read_version(tmp_path / manifest().version).user(4).awaits_list


def test_who_has_no_list_awaits_none_where_the_model_is_not_asked(tmp_path):
    asked = {"0": ["popular"], "2": ["model", "fold_in", "popular"]}
    write_version(tmp_path, replace(manifest(), sources=asked), of_some([]))
    read = read_version(tmp_path / manifest().version)
    assert [read.user(user).awaits_list for user in (3, 7)] == [True, False]


def test_a_changed_file_of_who_has_a_list_is_found(tmp_path):
    write_version(tmp_path, manifest(), of_some([0]))
    np.save(tmp_path / manifest().version / "listed.npy", np.array([1], np.int32))
    with pytest.raises(DamagedVersionError, match=r"listed\.npy is not what was written"):
        read_version(tmp_path / manifest().version)


def test_what_a_known_user_rated_is_told_and_nan_is_only_watched(version):
    assert np.array_equal(read_version(version).user(3).ratings, [5, np.nan], equal_nan=True)
    assert read_version(version).user(4).ratings.tolist() == []


def test_a_version_that_kept_no_ratings_says_so(tmp_path):
    seen = replace(contents().seen, ratings=None)
    write_version(tmp_path, manifest(), replace(contents(), seen=seen))
    assert read_version(tmp_path / manifest().version).user(3).ratings is None


def test_arrays_are_mapped_not_loaded(version):
    assert isinstance(read_version(version).contents.top.items, np.memmap)


@pytest.mark.parametrize("algorithm", ["popularity", "ease", "svd"])
def test_a_model_scores_after_reading_as_before_writing(tmp_path, algorithm):
    write_version(tmp_path, manifest(algorithm), contents(algorithm))
    items, ratings = np.array([0, 2], np.int32), np.array([5, np.nan], np.float32)
    read = read_version(tmp_path / manifest(algorithm).version)
    assert np.array_equal(
        read.fold_in(items, ratings), MODELS[algorithm][0].fold_in(items, ratings)
    )


def test_a_model_without_any_weight_is_read(tmp_path):
    nothing = replace(WEIGHTS, weights=sparse.csr_array((4, 4), dtype=np.float32))
    write_version(tmp_path, manifest(), replace(contents(), model=nothing))
    read = read_version(tmp_path / manifest().version)
    assert read.fold_in(np.array([0]), np.array([5.0])).tolist() == [0, 0, 0, 0]


def test_the_popular_line_is_ids_with_commas(version):
    expected = "casablanca+1942,alien+1979,délicatessen+1991,brazil+1985\n"
    assert (version / "popular.txt").read_text() == expected


def test_others_may_read_a_version(version):
    assert version.stat().st_mode & 0o055 == 0o055
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in version.iterdir())


def files_of_a_version():
    return [
        "manifest.json",
        "manifest.sha256",
        "movies.txt",
        "popular.txt",
        "users.npy",
        "popular.npy",
        "top_items.npy",
        "top_scores.npy",
        "seen_indptr.npy",
        "seen_indices.npy",
        "seen_ratings.npy",
        "weights_indptr.npy",
        "weights_indices.npy",
        "weights_data.npy",
    ]


def test_the_files_of_a_version_are_these(version):
    assert sorted(path.name for path in version.iterdir()) == sorted(files_of_a_version())


@pytest.mark.parametrize("name", files_of_a_version())
def test_a_missing_file_is_named(version, name):
    (version / name).unlink()
    with pytest.raises(DamagedVersionError, match=f"{name} is missing"):
        read_version(version)


@pytest.mark.parametrize("name", files_of_a_version())
def test_a_truncated_file_is_refused(version, name):
    path = version / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DamagedVersionError, match="is not what was written"):
        read_version(version)


@pytest.mark.parametrize("name", files_of_a_version())
def test_a_flipped_byte_is_refused(version, name):
    path = version / name
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 3] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(DamagedVersionError, match="is not what was written"):
        read_version(version)


def test_damage_is_told_in_one_line_that_names_the_version(version):
    (version / "users.npy").unlink()
    with pytest.raises(TrainerError) as caught:
        read_version(version)
    assert str(caught.value) == "version 20250131-030000-ease: users.npy is missing"


def test_a_newer_schema_is_refused(version):
    with pytest.raises(NewerVersionError, match="schema 4, and this code reads 3"):
        read_version(with_schema(version, 4))


def test_a_manifest_with_other_keys_is_refused():
    with pytest.raises(ValueError, match="keys"):
        Manifest.parse(json.dumps({"schema": 1, "version": "a"}).encode())


def test_an_algorithm_of_newer_code_is_refused(version):
    newer = replace(read_version(version).manifest, algorithm="oracle", item_model="omens")
    state(version, newer)
    with pytest.raises(NewerVersionError, match="algorithm oracle is newer than this code"):
        read_version(version)


def test_a_version_of_schema_1_is_read(version):
    content = json.loads((version / "manifest.json").read_bytes())
    later = {"item_model", "held", "popularity", "sources"}
    old = {name: content[name] for name in content if name not in later}
    old |= {"schema": 1, "figures": {"ndcg20_ease": {"value": 0.14}}}
    (version / "manifest.json").write_text(json.dumps(old))
    sign(version)
    assert read_version(version).user(3).top_items.tolist() == [1, 3]


def state(version, manifest):
    (version / "manifest.json").write_bytes(manifest.text())
    sign(version)


def sign(version):
    digest = hashlib.sha256((version / "manifest.json").read_bytes()).hexdigest()
    (version / "manifest.sha256").write_text(f"{digest}  manifest.json\n")


def test_a_half_written_directory_is_refused(tmp_path, version):
    half = tmp_path / "half"
    shutil.copytree(version, half, ignore=shutil.ignore_patterns("manifest.*"))
    with pytest.raises(DamagedVersionError, match=r"manifest.json is missing"):
        read_version(half)


def test_a_directory_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DamagedVersionError):
        read_version(tmp_path / "nowhere")


def test_a_version_is_never_written_twice(version):
    with pytest.raises(ExistingVersionError, match="20250131-030000-ease is there already"):
        write_version(version.parent, manifest(), contents())


class FailingModel(PopularityModel):
    def arrays(self):
        return {"broken": np.array([object()])}


def test_a_failed_write_publishes_nothing(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle"):
        write_version(tmp_path, manifest(), replace(contents(), model=FailingModel(POPULAR)))
    assert version_names(tmp_path) == []


def test_what_a_failed_write_left_is_removed(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle"):
        write_version(tmp_path, manifest(), replace(contents(), model=FailingModel(POPULAR)))
    assert remove_unfinished(tmp_path) == [".tmp-20250131-030000-ease"]
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_a_place_of_an_unfinished_version_is_removed_too(tmp_path):
    (tmp_path / ".tmp-notes").write_text("somebody's")
    (tmp_path / ".tmp-link").symlink_to(tmp_path)
    assert remove_unfinished(tmp_path) == [".tmp-link", ".tmp-notes"]
    assert list(tmp_path.iterdir()) == []


def test_a_file_among_versions_is_none(tmp_path):
    (tmp_path / "README").write_text("somebody's")
    assert version_names(tmp_path) == []


class ListsInPieces:
    def __init__(self, top):
        self._top = top

    def pieces(self):
        for row in range(len(self._top.items)):
            yield TopLists(self._top.items[row : row + 1], self._top.scores[row : row + 1])


def test_lists_that_come_in_pieces_are_written_as_the_whole_ones(tmp_path, version):
    in_pieces = replace(contents(), top=ListsInPieces(contents().top))
    assert (
        write_version(tmp_path / "other", manifest(), in_pieces).files
        == read_version(version).manifest.files
    )


KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
import numpy as np
from trainer.versions.contents import Contents, SeenItems, TopLists
from trainer.versions.writer import write_version
from trainer.versions.item_models.popularity import PopularityModel
from trainer.versions.manifest import Manifest

class Killed:
    def pieces(self):
        yield TopLists(np.zeros((500, 100), np.int32), np.zeros((500, 100), np.float32))
        os.kill(os.getpid(), signal.SIGKILL)

movies = np.arange(200, dtype=np.int32)
seen = SeenItems(np.zeros(1001, np.int64), np.empty(0, np.int32))
contents = Contents([str(movie) for movie in movies], np.arange(1000), movies, Killed(), seen,
                    PopularityModel(movies))
manifest = Manifest("20250131-030000-ease", "popularity", {}, "", {}, {}, {}, {}, {}, {})
write_version(Path(sys.argv[1]), manifest, contents)
"""


def test_a_writer_killed_half_way_leaves_no_version_and_the_next_writes_it(tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, tmp_path], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / ".tmp-20250131-030000-ease" / "top_items.npy").exists()
    assert version_names(tmp_path) == []
    remove_unfinished(tmp_path)
    write_version(tmp_path, manifest(), contents())
    assert read_version(tmp_path / manifest().version).user(3).top_items.tolist() == [1, 3]


def test_a_removed_version_is_gone(tmp_path, version):
    remove_version(tmp_path, version.name)
    assert list(tmp_path.iterdir()) == []


def test_versions_are_listed_by_time(tmp_path):
    for algorithm in ("svd", "ease"):
        write_version(tmp_path, manifest(algorithm), contents(algorithm))
    assert version_names(tmp_path) == ["20250131-030000-ease", "20250131-030000-svd"]
    assert version_names(tmp_path / "nowhere") == []


def test_a_version_is_named_by_time_and_algorithm():
    assert version_name(datetime(2025, 1, 31, 3, tzinfo=UTC), "ease") == "20250131-030000-ease"

"""Which layers of two builds differ, and why: archives as `docker save` writes them."""

import io
import json
import subprocess
import sys
import tarfile
from itertools import count
from pathlib import Path

import pytest

from tests.unit.compose.shell import CHECKOUT

SCRIPT = CHECKOUT / "compose/images/differing_layers.py"
BASE = {"etc/os-release": (b"13", 1)}


def archive(files) -> bytes:
    """A layer of files: their content, and when they were written."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for name, (content, time) in files.items():
            add(tar, name, content, time)
    return whole.getvalue()


def add(tar, name, content, time=0):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime = len(content), time
    tar.addfile(entry, io.BytesIO(content))


def saved(path: Path, images) -> Path:
    """What `docker save` writes of images, each a list of layers: a command and its files."""
    manifest, numbers = [], count()
    with tarfile.open(path, "w") as tar:
        add(tar, "VERSION", b"1.0")
        for name, layers in images.items():
            paths = [f"{next(numbers)}/layer.tar" for _ in layers]
            for layer_path, (_, files) in zip(paths, layers, strict=True):
                add(tar, layer_path, archive(files))
            config = {
                "history": [
                    {"created_by": "ENV a=b", "empty_layer": True},
                    *({"created_by": command} for command, _ in layers),
                ],
                "rootfs": {"diff_ids": [str(sorted(files.items())) for _, files in layers]},
            }
            add(tar, f"{name}.json", json.dumps(config).encode())
            manifest.append(
                {"Config": f"{name}.json", "RepoTags": [f"town/{name}:1"], "Layers": paths}
            )
        add(tar, "manifest.json", json.dumps(manifest).encode())
    return path


@pytest.fixture
def told(tmp_path):
    def tell(first, second, of_the_base="1"):
        """What is said of two builds of these layers; in the second one more is the base's."""
        images = {
            "one": [("base", BASE), *first],
            "two": [("base", BASE), ("again", {}), *second],
        }
        with saved(tmp_path / "saved.tar", images).open("rb") as file:
            done = subprocess.run(
                [sys.executable, SCRIPT, "town/one:1", "town/two:1", of_the_base],
                stdin=file,
                capture_output=True,
                text=True,
                check=False,
            )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return tell


def test_two_builds_that_are_the_same_differ_in_nothing(told):
    layers = [("RUN a", {"a": (b"x", 5)})]
    assert told(layers, layers) == [
        "town/one:1: 0 of 1 layers differ, 0 of them by more than times"
    ]


def test_a_layer_that_was_written_later_differs_by_times(told):
    found = told(
        [("RUN a", {"a": (b"x", 5), "b": (b"y", 5)}), ("RUN c", {"c": (b"z", 7)})],
        [("RUN a", {"a": (b"x", 6), "b": (b"y", 6)}), ("RUN c", {"c": (b"z", 7)})],
    )
    assert found == [
        "town/one:1: 1 of 2 layers differ, 0 of them by more than times",
        "  layer 1: RUN a",
        "         2 written at another time, nothing else: a, b",
    ]


def test_other_content_is_told_with_its_cause_where_that_is_known(told):
    found = told(
        [("RUN a", {"x/a.pyc": (b"1", 5), "b": (b"1", 5), "c": (b"", 5)})],
        [("RUN a", {"x/a.pyc": (b"2", 5), "b": (b"2", 5), "d": (b"", 5)})],
    )
    assert found[0].endswith("1 of 1 layers differ, 1 of them by more than times")
    assert sorted(line.strip() for line in found[2:]) == [
        "1 compiled Python, which holds the time of its source: x/a.pyc",
        "1 only in the first build: c",
        "1 only in the second build: d",
        "1 other content: b",
    ]


def test_of_many_files_some_are_named(told):
    names = [f"f{number}" for number in range(9)]
    first, second = (dict.fromkeys(names, (b"x", time)) for time in (1, 2))
    found = told([("RUN a", first)], [("RUN a", second)])
    assert found[-1].endswith("f0, f1, f2, ...")
    assert found[-1].split()[0] == "9"

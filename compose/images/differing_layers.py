"""Say which layers of two builds of an image differ, by which files, and why.

    docker save FIRST SECOND | python3 differing_layers.py FIRST SECOND LAYERS_OF_THE_BASE

Layers are those that came after the base image's. It needs the standard library alone, since it
runs in whatever image has a Python.
"""

import hashlib
import json
import posixpath
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatch
from io import BufferedReader
from typing import IO, Any, cast

LARGEST_EXAMPLES = 3

TIME = "written at another time, nothing else"
CAUSES = (
    ("*.pyc", "compiled Python, which holds the time of its source"),
    ("var/cache/ldconfig/aux-cache", "ldconfig's cache, which holds inodes and times"),
    ("etc/*shadow*", "the day on which an account was made"),
    ("var/log/*", "a log of the build"),
    ("etc/ssl/certs/java/cacerts", "Java's key store, which holds the time of each entry"),
)
"""Paths, as fnmatch has them, whose content differs from build to build, and why."""


@dataclass(frozen=True)
class File:
    """What a layer says of a path, but when it was written."""

    kind: bytes
    mode: int
    owner: tuple[int, int]
    link: str
    content: str
    """SHA-256 of it; empty of what is no file."""


@dataclass(frozen=True)
class Layer:
    """What a build step left behind."""

    files: Mapping[str, File]
    times: Mapping[str, float]


@dataclass(frozen=True)
class Step:
    """A step of the build that made a layer."""

    command: str
    diff_id: str
    layer: str
    """Where the layer is in the archive."""


@dataclass
class Archive:
    """What `docker save` wrote."""

    documents: dict[str, Any] = field(default_factory=dict)
    layers: dict[str, Layer] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def layer(self, path: str) -> Layer:
        """The layer at a path, or at the one that it is a link to."""
        return self.layers[self.links.get(path, path)]

    def steps(self, image: str) -> list[Step]:
        """The steps that made the layers of an image, in order."""
        named = image if ":" in image.rpartition("/")[2] else f"{image}:latest"
        found = next(
            one for one in self.documents["manifest.json"] if named in (one["RepoTags"] or ())
        )
        config = self.documents[found["Config"]]
        commands = [
            one.get("created_by", "") for one in config["history"] if not one.get("empty_layer")
        ]
        unknown = [""] * (len(found["Layers"]) - len(commands))
        diff_ids = config["rootfs"]["diff_ids"]
        return [
            Step(*step)
            for step in zip([*unknown, *commands], diff_ids, found["Layers"], strict=True)
        ]


def read(stream: IO[bytes]) -> Archive:
    """Read what `docker save` writes, once, from its beginning to its end."""
    archive = Archive()
    with tarfile.open(fileobj=stream, mode="r|") as outer:
        for member in outer:
            # which it is, though its type says less
            content = cast("BufferedReader", outer.extractfile(member)) if member.isfile() else None
            if member.issym():
                folder = posixpath.dirname(member.name)
                archive.links[member.name] = posixpath.normpath(
                    posixpath.join(folder, member.linkname)
                )
            elif content is not None and content.peek(1)[:1] in {b"{", b"["}:
                archive.documents[member.name] = json.load(content)
            elif content is not None:
                with suppress(tarfile.ReadError):  # a file that says which format this is
                    archive.layers[member.name] = read_layer(content)
    return archive


def read_layer(stream: IO[bytes]) -> Layer:
    """Each path of a layer, with what is there and when it was written."""
    files, times = {}, {}
    with tarfile.open(fileobj=stream, mode="r|*") as layer:
        for member in layer:
            content = layer.extractfile(member) if member.isfile() else None
            digest = hashlib.sha256(content.read()).hexdigest() if content else ""
            owner = (member.uid, member.gid)
            files[member.name] = File(member.type, member.mode, owner, member.linkname, digest)
            times[member.name] = member.mtime
    return Layer(files, times)


def differences(first: Layer, second: Layer) -> Iterator[tuple[str, str]]:
    """Each path that differs, and why."""
    for path in sorted(first.files.keys() | second.files.keys()):
        one, other = first.files.get(path), second.files.get(path)
        if one is None or other is None:
            yield path, f"only in the {'second' if one is None else 'first'} build"
        elif one != other:
            yield path, cause(path)
        elif first.times[path] != second.times[path]:
            yield path, TIME


def cause(path: str) -> str:
    """Why what is at a path is another in each build."""
    name = path.removeprefix("./")
    return next((why for pattern, why in CAUSES if fnmatch(name, pattern)), "other content")


def told(number: int, step: Step, found: list[tuple[str, str]]) -> Iterator[str]:
    """The lines that say how a layer differs."""
    yield f"  layer {number}: {' '.join(step.command.split())[:100]}"
    if not found:
        yield "    the same files, in another order"
    for why, count in Counter(why for _, why in found).most_common():
        paths = [path for path, reason in found if reason == why][:LARGEST_EXAMPLES]
        yield f"    {count:6} {why}: {', '.join(paths)}{', ...' if count > len(paths) else ''}"


def report(archive: Archive, first: str, second: str, of_the_base: int) -> Iterator[str]:
    """The lines that say how two builds of an image differ."""
    steps = archive.steps(first)[of_the_base:]
    again = archive.steps(second)[-len(steps) :] if steps else []
    lines: list[str] = []
    differing = by_more_than_time = 0
    for number, (one, other) in enumerate(zip(steps, again, strict=True), 1):
        if one.diff_id != other.diff_id:
            found = list(differences(archive.layer(one.layer), archive.layer(other.layer)))
            lines += told(number, one, found)
            differing += 1
            by_more_than_time += any(why != TIME for _, why in found)
    yield (
        f"{first}: {differing} of {len(steps)} layers differ, {by_more_than_time} of them by"
        " more than times"
    )
    yield from lines


if __name__ == "__main__":
    _, first_image, second_image, base_layers = sys.argv
    built = read(sys.stdin.buffer)
    for line in report(built, first_image, second_image, int(base_layers)):
        print(line)  # noqa: T201 -- a script's answer

"""What is in the images: a bill of materials of each, and what differs when one is built twice."""

import json
import os
import subprocess
import uuid

from tests.end_to_end.conftest import CHECKOUT
from tests.engine import docker

PREFIX = os.environ.get("IMAGE_PREFIX", "marquee")


def image_id(name):
    return docker("image", "inspect", "--format", "{{.Id}}", name).strip()


def names(bill):
    return {one["name"] for one in bill["components"]}


def test_each_image_has_a_bill_of_materials(stack):
    done = stack.make("sbom")
    assert done.returncode == 0, done.stdout + done.stderr
    bills = {
        path.name.removesuffix(".cdx.json"): json.loads(path.read_text())
        for path in (CHECKOUT / "build/sbom").glob("*.cdx.json")
    }
    assert {"recommender-blue", "nginx", "postgres", "kafka", "releaser"} <= bills.keys()
    slot = bills["recommender-blue"]
    assert slot["metadata"]["component"]["version"] == image_id(f"{PREFIX}/recommender:blue")
    assert "numpy" in names(slot)
    assert "kafka-clients" in names(bills["kafka"])


BUILT = """FROM {base}
RUN echo of the commit > /same && touch --date=@{second} /same
RUN echo {second} > /differs && touch --date=@{second} /differs
"""


def built(name, second):
    """Build an image as it would be at some second, from nothing: two builds may share a second."""
    subprocess.run(
        ["docker", "build", "--quiet", "--no-cache", "--tag", name, "-"],
        input=BUILT.format(base=os.environ["BASE_IMAGE"], second=second).encode(),
        capture_output=True,
        check=True,
    )
    return name


def test_of_two_builds_it_is_said_which_layers_differ_and_why():
    names = [f"{PREFIX}-{uuid.uuid4().hex[:8]}/built:{number}" for number in ("first", "second")]
    base = len(
        json.loads(docker("image", "inspect", os.environ["BASE_IMAGE"]))[0]["RootFS"]["Layers"]
    )
    script = "source compose/images/build_twice.sh; differing_layers"
    try:
        first, second = map(built, names, (1_000_000_000, 1_000_000_001))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{script} {first} {second} {base}"],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        docker("rmi", *names)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{first}: 2 of 2 layers differ, 1 of them by more than times")
    assert "other content: differs" in done.stdout

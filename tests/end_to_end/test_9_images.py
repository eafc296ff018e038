"""What is in the images: a bill of materials of each."""

import json
import os

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

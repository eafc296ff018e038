"""A bill of materials names what the package managers of an image say is in it: here, of this."""

import importlib.metadata
import json
import subprocess

import pytest

from tests.unit.compose.shell import bash

BILL = "awk -v image=recommender:blue -v id=sha256:1 -f compose/images/cyclonedx.awk"


def bill(lines):
    done = bash(f"printf '{lines}' | {BILL}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def own():
    done = bash(f"compose/images/list-components.sh | {BILL}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_says_what_it_is_of_and_in_which_format(own):
    assert (own["bomFormat"], own["specVersion"]) == ("CycloneDX", "1.5")
    assert own["metadata"]["component"] == {
        "type": "container",
        "name": "recommender:blue",
        "version": "sha256:1",
    }


def test_every_debian_package_is_in_it(own):
    told = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${Package} ${Version}\n"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = {
        f"{one['name']} {one['version']}"
        for one in own["components"]
        if one.get("purl", "").startswith("pkg:deb/debian/")
    }
    assert found == set(told.stdout.splitlines())


def test_every_python_distribution_is_in_it(own):
    installed = {
        f"{one.metadata['Name']} {one.version}"
        for one in importlib.metadata.distributions()
        if one.read_text("METADATA")
    }
    found = {
        f"{one['name']} {one['version']}"
        for one in own["components"]
        if one.get("purl", "").startswith("pkg:pypi/")
    }
    assert installed
    assert installed <= found


def test_what_means_something_in_an_address_is_encoded():
    made = bill("deb\\tg++\\t4:14.2-1+b1\\tamd64\\npypi\\tTyping_Extensions\\t4.1\\tPSF-2.0\\n")
    assert [one["purl"] for one in made["components"]] == [
        "pkg:deb/debian/g%2B%2B@4:14.2-1%2Bb1?arch=amd64",
        "pkg:pypi/typing-extensions@4.1",
    ]
    assert made["components"][1]["licenses"] == [{"license": {"name": "PSF-2.0"}}]


def test_an_archive_is_named_by_its_file():
    made = bill("jar\\tkafka-clients\\t4.1.0\\t\\n")
    assert made["components"] == [{"type": "library", "name": "kafka-clients", "version": "4.1.0"}]


def test_what_would_end_a_text_does_not():
    made = bill('pypi\\tx\\t1\\tthe "X" \\\\ licence\\n')
    assert made["components"][0]["licenses"][0]["license"]["name"] == 'the "X" \\ licence'


def test_nothing_in_an_image_makes_an_empty_bill():
    assert bill("")["components"] == []

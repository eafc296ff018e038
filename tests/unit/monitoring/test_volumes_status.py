"""What each volume takes is told for this stack alone, the largest first."""

import json

import pytest

from monitoring.errors import ListingError
from monitoring.status.containers import project
from monitoring.status.overview import Fact
from monitoring.status.volumes import volume_sizes


def volume(name, size, stack="marquee"):
    """One of `docker system df`, with what of it is read."""
    labels = {"com.docker.compose.project": stack, "com.docker.compose.volume": name}
    return {"Labels": ",".join(f"{key}={value}" for key, value in labels.items()), "Size": size}


def test_the_largest_comes_first_and_what_is_empty_not_at_all():
    listing = [volume("state", "0B"), volume("models", "59.87MB"), volume("postgres", "1.2GB")]
    assert volume_sizes(json.dumps(listing), "marquee") == [
        Fact("volume postgres", "1.2GB"),
        Fact("volume models", "59.87MB"),
    ]


def test_volumes_of_another_stack_or_of_none_are_not_told():
    without_labels = {"Labels": "", "Size": "3kB"}
    listing = [volume("kafka", "1GB", stack="other"), without_labels, volume("kafka", "12B")]
    assert volume_sizes(json.dumps(listing), "marquee") == [Fact("volume kafka", "12B")]


@pytest.mark.parametrize("listing", ["no json", "[1]", "7", '[{"Labels": 3}]'])
def test_what_is_no_listing_is_refused(listing):
    with pytest.raises(ListingError, match="docker system df"):
        volume_sizes(listing, "marquee")


def test_a_size_that_cannot_be_read_is_refused():
    with pytest.raises(ListingError, match="'N/A' is no size"):
        volume_sizes(json.dumps([volume("kafka", "N/A")]), "marquee")


def test_the_stack_is_the_one_whose_containers_are_listed():
    listing = json.dumps({"Service": "kafka", "State": "running", "Project": "marquee-2"})
    assert (project(listing), project("")) == ("marquee-2", "")

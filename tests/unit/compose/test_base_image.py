"""Which image all others stand on, on hosts with and without a registry."""

import pytest

from tests.unit.compose.shell import bash

HOST = """
source compose/up/say.sh; source compose/up/check_ports.sh; source compose/up/base_image.sh
source compose/up/build_images.sh; source compose/up/grafana.sh
BASE_IMAGE=${BASE_IMAGE-$DEFAULT_BASE} GRAFANA=${GRAFANA-auto} GRAFANA_IMAGE=grafana GRAFANA_PORT=1
image_exists() { [[ " ${IMAGES-} " == *" $1 "* ]]; }
docker() {
  case "$1 $3" in
    "pull ${REGISTRY-}"*) ;;
    *) echo "dial tcp: no such host" >&2; return 1 ;;
  esac
}
timeout() { "${@:3}"; }
make_base_image() { echo "made"; }
held_ports() { :; }
"""
"""REGISTRY: what its registry has, by how the name begins; none answers without it."""


@pytest.mark.parametrize(
    ("host", "base", "told"),
    [
        ({"REGISTRY": "debian"}, "debian:trixie-slim", "Asking the registry"),
        ({"REGISTRY": "none"}, "marquee/base:trixie", "made"),
        ({"REGISTRY": "none", "IMAGES": "debian:trixie-slim"}, "debian:trixie-slim", ""),
        ({"REGISTRY": "none", "IMAGES": "marquee/base:trixie"}, "marquee/base:trixie", ""),
        ({"REGISTRY": "none", "BASE_IMAGE": "marquee/base:trixie"}, "marquee/base:trixie", "made"),
        ({"REGISTRY": "own/", "BASE_IMAGE": "own/debian:13"}, "own/debian:13", "Asking"),
    ],
)
def test_the_base_image_comes_from_a_registry_or_is_made(host, base, told):
    done = bash(f"{HOST}choose_base_image; echo $BASE_IMAGE", environment=host)
    assert done.stdout.split()[-1] == base, done.stderr
    assert told in done.stdout
    assert ("made" in done.stdout) == (told == "made")


def test_a_registry_that_hangs_is_not_waited_for_without_end(tmp_path):
    engine = tmp_path / "docker"
    engine.write_text("#!/bin/sh\nexec sleep 300\n")
    engine.chmod(0o755)
    hangs = "source compose/up/say.sh; source compose/up/base_image.sh; PULL_SECONDS=0.1"
    done = bash(
        f'{hangs}; pull own/debian:13 || echo "$PULL_ERROR"',
        environment={"PATH": f"{tmp_path}:/usr/local/bin:/usr/bin:/bin"},
    )
    assert done.stdout.splitlines()[-1] == "it did not come within 0.1 s", done.stderr


def test_a_base_image_that_was_asked_for_and_cannot_be_had_is_an_error():
    host = {"REGISTRY": "none", "BASE_IMAGE": "own/debian:13"}
    done = bash(f"{HOST}choose_base_image", environment=host)
    assert done.returncode == 1
    assert "own/debian:13 cannot be had: dial tcp: no such host" in done.stderr


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ({"REGISTRY": "grafana"}, True),
        ({"REGISTRY": "none", "IMAGES": "grafana"}, True),
        ({"REGISTRY": "none"}, False),
        ({"REGISTRY": "grafana", "GRAFANA": "off"}, False),
        ({"REGISTRY": "grafana", "BASE_IMAGE": "marquee/base:trixie"}, False),
        ({"REGISTRY": "grafana", "BASE_IMAGE": "marquee/base:trixie", "GRAFANA": "on"}, True),
    ],
)
def test_grafana_comes_where_its_image_can_be_had(host, wanted):
    done = bash(f"{HOST}grafana_is_wanted", environment=host)
    assert done.returncode == (0 if wanted else 1)
    assert not done.stderr


def test_grafana_is_left_out_where_its_port_is_taken():
    taken = "held_ports() { echo 1; }; published_by_us() { false; }"
    done = bash(f"{HOST}{taken}\ngrafana_is_wanted", environment={"REGISTRY": "grafana"})
    assert done.returncode == 1
    assert "make up GRAFANA_PORT=<free port>" in done.stdout


def test_grafana_that_was_asked_for_and_cannot_be_had_is_an_error():
    done = bash(f"{HOST}add_grafana", environment={"REGISTRY": "none", "GRAFANA": "on"})
    assert done.returncode == 1
    assert "everything runs but Grafana" in done.stderr


def test_grafana_that_does_not_start_holds_up_nothing():
    script = f"{HOST}try_to_bake() {{ false; }}; add_grafana; echo all else"
    done = bash(script, environment={"REGISTRY": "grafana"})
    assert done.returncode == 0, done.stderr
    assert "Grafana is left out" in done.stdout

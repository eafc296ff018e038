"""What `make up` tells somebody who is not root, on machines that lack one thing or another."""

import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]

MACHINE = """
source compose/up/say.sh
source compose/up/install_engine.sh
source compose/up/start_engine.sh
source compose/up/base_image.sh
source compose/up/check_rights.sh
id() { if [ "$1" = -u ]; then echo 1000; else echo ada; fi; }
engine_installed() { true; }
engine_answers() { true; }
compose_works() { true; }
buildx_works() { true; }
base_image_can_be_had() { true; }
"""
"""One that lacks nothing, and a user who may use the engine."""


def checked(lacking: str) -> subprocess.CompletedProcess[str]:
    script = f"set -euo pipefail; {MACHINE}\n{lacking}\ncheck_rights"
    return subprocess.run(
        ["bash", "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )


def test_who_lacks_nothing_needs_no_root():
    done = checked("")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("lacking", "command"),
    [
        ("engine_installed() { false; }", "apt-get install -y docker.io iptables"),
        ("compose_works() { false; }", "apt-get install -y docker-compose"),
        ("buildx_works() { false; }", "apt-get install -y docker-buildx"),
        ("engine_answers() { false; }", "usermod --append --groups docker ada"),
        (
            "base_image_can_be_had() { false; }",
            "mmdebstrap --variant=minbase trixie - | docker import - marquee/base:trixie",
        ),
    ],
)
def test_what_only_root_can_do_is_said_at_once(lacking, command):
    done = checked(lacking)
    assert done.returncode == 1
    assert command in done.stdout
    assert "root is needed once" in done.stderr


def test_where_a_registry_answers_no_base_image_is_made():
    pulled = "image_exists() { false; }; pull() { true; }; BASE_IMAGE=debian:trixie-slim"
    done = checked(f"unset -f base_image_can_be_had; source compose/up/base_image.sh; {pulled}")
    assert done.returncode == 0

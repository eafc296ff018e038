"""What somebody's shell has exported for other programs moves nothing that the scripts do."""

import pytest

from tests.unit.compose.shell import bash

SOURCES = "; ".join(
    f"source compose/up/{name}.sh"
    for name in ("say", "settings", "commit", "check_subnet", "build_images", "ask_nginx")
)


def said(script, **exported):
    done = bash(f"{SOURCES}; {script}", environment=exported)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("name", "script", "usual"),
    [
        ("ENV_FILE", 'echo "$ENV_FILE"', ".env"),
        ("SOURCE", 'echo "$SOURCE $ARCHIVED_COMMIT"', ". ./compose/images/commit.txt"),
        ("HOST_FOLDER", 'echo "$HOST_FOLDER"', "build/host"),
        ("BAR", "end_bar | wc --lines", "0"),
    ],
)
def test_where_the_scripts_read_and_write_is_not_taken_from_a_shell(name, script, usual):
    assert said(script, **{name: "/of/another/program"}) == usual


def test_routes_are_the_kernels(tmp_path):
    others = tmp_path / "routes"
    others.write_text("lo 0000A8C0 00000000 0 0 0 0 0000FFFF 0 0 0\n")
    assert said("routes", ROUTES=str(others)) == said("routes")

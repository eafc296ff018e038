"""Runs parts of the scripts in the bash that images have."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]


def bash(
    script: str, cwd: Path = CHECKOUT, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a script as the scripts of this repository run, in an environment of its own."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=cwd,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )

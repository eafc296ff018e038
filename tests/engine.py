"""The Docker engine, for tests that start, break and look at containers."""

import subprocess


def docker(*arguments: str) -> str:
    """Run docker; its standard output."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True)
    return done.stdout

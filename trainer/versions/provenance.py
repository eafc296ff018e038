"""Where a version comes from: code, machine and libraries, as its manifest states them."""

import hashlib
from importlib.metadata import version
from pathlib import Path
from platform import processor, python_version

LIBRARIES = ("numpy", "scipy", "numba", "implicit", "scikit-surprise")
UNKNOWN = "unknown"


def code(git_commit: str, lock_file: Path) -> dict[str, str]:
    """The commit, and the sha256 of the file that pins every library by hash."""
    lock = hashlib.sha256(lock_file.read_bytes()).hexdigest() if lock_file.is_file() else UNKNOWN
    return {"git_commit": git_commit, "lock_sha256": lock}


def machine(threads: int) -> dict[str, str | int]:
    """The CPU's type, and how many threads linear algebra used: sums depend on both."""
    return {"cpu": _cpu(Path("/proc/cpuinfo")), "threads": threads}


def _cpu(cpuinfo: Path) -> str:
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else processor() or UNKNOWN


def libraries() -> dict[str, str]:
    """Versions of Python and of what the numbers come from."""
    return {"python": python_version(), **{name: version(name) for name in LIBRARIES}}

"""Files on the secrets volume: each written whole, for one reader.

A database password is in three places: its own file, for people; a passfile, which libpq reads
each time it connects, so that a service needs no restart when the password changes; and, as a
verifier, in `role-verifiers`, from which `migrate` tells PostgreSQL. The first one is the truth;
`follow` makes the others follow it.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from compose.secrets.inventory import (
    HELPER,
    HELPER_UID,
    MIGRATE_UID,
    OPTIONAL,
    PASSFILE_READERS,
    ROLE_UIDS,
)
from compose.secrets.scram import scram_verifier, verifies

VERIFIERS = "role-verifiers"
GIVEN = "given.json"
"""Which of the optional addresses were given; no secret, so everybody may read it."""
SALT_BYTES = 16


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Wait until nobody else writes there; it ends with the process, however that ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_beside(path: Path, text: str, uid: int, mode: int = 0o400) -> Path:
    """Write a file that waits beside its place, whole and with its reader, to be renamed there."""
    partial = path.with_name(f".{path.name}")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.chown(partial, uid, uid)
    return partial


def write_secret(path: Path, text: str, uid: int, mode: int = 0o400) -> None:
    """Put a file in its place at once, whole, for one reader."""
    write_beside(path, text, uid, mode).rename(path)


def passfile(password: str) -> str:
    """The line that libpq looks a password up in, for whatever it connects to."""
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    return f"*:*:*:*:{escaped}\n"


def hash_of(token: str) -> str:
    """What tells a random token from any other and does not give it away."""
    return sha256(token.encode()).hexdigest()


def verifiers(folder: Path) -> dict[str, str]:
    """The verifier of each database role; those that do not fit the role's password are new."""
    path = folder / VERIFIERS
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return {role: _verifier((folder / role).read_text(), known.get(role)) for role in ROLE_UIDS}


def _verifier(password: str, known: str | None) -> str:
    if known and verifies(known, password):
        return known
    return scram_verifier(password, secrets.token_bytes(SALT_BYTES))


def follow(folder: Path) -> None:
    """Make what tells of other secrets agree with them; what does is left alone."""
    for name, (reader, uid) in PASSFILE_READERS.items():
        _keep(folder / f"{reader}.pgpass", passfile((folder / name).read_text()), uid)
    _keep(folder / VERIFIERS, json.dumps(verifiers(folder)), MIGRATE_UID)
    _keep(folder / f"{HELPER}.sha256", hash_of((folder / HELPER).read_text()), HELPER_UID)
    given = {
        name: (folder / name).read_text() not in ("", unset) for name, unset in OPTIONAL.items()
    }
    _keep(folder / GIVEN, json.dumps(given), 0, 0o444)


def _keep(path: Path, text: str, uid: int, mode: int = 0o400) -> None:
    if not path.exists() or path.read_text() != text:
        write_secret(path, text, uid, mode)

"""Write the secret files that are missing; never touch one that is there.

Runs as root without capabilities but CHOWN and DAC_OVERRIDE, on a volume that every
service mounts read-only. Each file is mode 0400 and owned by its consumer's user id, so
a service reads its own secret and no other. The services' passwords reach PostgreSQL as
SCRAM verifiers only (RFC 5803): `migrate` never sees a password but its own.

Usage: python3 -m compose.secrets make | show NAME | set NAME < FILE
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path("/run/secrets")
VOLUMES = Path("/var/lib/marquee")

ROLE_UIDS = {
    "ingest": 10101,
    "retention": 10102,
    "trainer": 10103,
    "recommender": 10104,
    "evaluation": 10105,
    "releaser": 10106,
    "analyst": 0,
}
"""Database roles and the user id of the service that logs in with each; analyst: people."""

MIGRATE_UID, POSTGRES_UID, ALERTMANAGER_UID, GRAFANA_UID, JENKINS_UID = 10108, 999, 65534, 472, 1000
VOLUME_OWNERS = {
    "models": ROLE_UIDS["trainer"],
    "state": ROLE_UIDS["releaser"],
    "receipts-blue": ROLE_UIDS["recommender"],
    "receipts-green": ROLE_UIDS["recommender"],
}
NO_SLACK = "http://slack.invalid/not-set"
BROKER_SECRETS = ("kafka", "kafka-ca", "kafka-certificate", "kafka-key")
"""What another broker than ours may ask for: password, its authority, our certificate and key."""


@dataclass(frozen=True)
class Secret:
    """A file in the secrets volume: its name, who may read it, and how it is first made."""

    name: str
    uid: int
    make: Callable[[], str]


def main(arguments: list[str]) -> int:
    """Do what the command line asks; 2 for what it does not understand."""
    match arguments:
        case ["make"]:
            make_all(FOLDER)
        case ["show", name] if name in known_names():
            sys.stdout.write((FOLDER / name).read_text() + "\n")
        case ["set", name] if name in known_names():
            (FOLDER / name).unlink(missing_ok=True)
            write_secret(FOLDER, Secret(name, uid_of(name), sys.stdin.read().strip))
        case _:
            names = ", ".join(sorted(known_names()))
            sys.stderr.write(f"secrets: make | show NAME | set NAME < FILE; names: {names}\n")
            return 2
    return 0


def make_all(folder: Path) -> None:
    """Write every missing secret and give each shared volume to its one writer."""
    for secret in password_secrets():
        write_secret(folder, secret)
    write_secret(folder, Secret("role-verifiers", MIGRATE_UID, lambda: role_verifiers(folder)))
    for volume, uid in VOLUME_OWNERS.items():
        if (VOLUMES / volume).is_dir():
            os.chown(VOLUMES / volume, uid, uid)


def password_secrets() -> list[Secret]:
    """Every secret that does not depend on another one."""
    return [
        Secret("postgres", POSTGRES_UID, new_password),
        # the database owner's password has two readers, so it is in two files
        Secret("migrate", MIGRATE_UID, (FOLDER / "postgres").read_text),
        *(Secret(role, uid, new_password) for role, uid in ROLE_UIDS.items()),
        Secret("slack", ALERTMANAGER_UID, lambda: NO_SLACK),
        *(Secret(name, ROLE_UIDS["ingest"], lambda: "") for name in BROKER_SECRETS),
        Secret("grafana", GRAFANA_UID, new_password),
        Secret("jenkins", JENKINS_UID, new_password),
    ]


def known_names() -> set[str]:
    """The secrets that people may read or set."""
    return {secret.name for secret in password_secrets()}


def uid_of(name: str) -> int:
    """The user id of a secret's one reader."""
    return next(secret.uid for secret in password_secrets() if secret.name == name)


def new_password() -> str:
    """192 random bits, URL-safe."""
    return secrets.token_urlsafe(24)


def role_verifiers(folder: Path) -> str:
    """The SCRAM verifier of each database role's password, as JSON."""
    return json.dumps({role: scram_verifier((folder / role).read_text()) for role in ROLE_UIDS})


def scram_verifier(password: str, iterations: int = 4096) -> str:
    """What PostgreSQL stores for a password under scram-sha-256 (RFC 5803)."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    encoded = [base64.b64encode(part).decode() for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${iterations}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def write_secret(folder: Path, secret: Secret) -> None:
    """Write one file whole, for one reader, unless it exists."""
    path = folder / secret.name
    if path.exists():
        return
    partial = folder / f".{secret.name}"
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w") as file:
        file.write(secret.make())
        file.flush()
        os.fsync(file.fileno())
    os.chown(partial, secret.uid, secret.uid)
    partial.rename(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

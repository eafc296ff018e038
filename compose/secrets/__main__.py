"""Write the secret files that are missing; never touch one that is there.

Runs as root without capabilities but CHOWN and DAC_OVERRIDE, on a volume that every
service mounts read-only. Each file is mode 0400 and owned by its consumer's user id, so
a service reads its own secret and no other. The services' passwords reach PostgreSQL as
SCRAM verifiers only (RFC 5803): `migrate` never sees a password but its own.

Usage: python3 -m compose.secrets make | show NAME | set NAME < FILE | login HOST:PORT < config.json
"""

import os
import sys
from pathlib import Path

from compose.secrets.files import follow, one_writer, write_secret
from compose.secrets.inventory import REGISTRY, SECRETS, UIDS, VOLUME_OWNERS
from compose.secrets.registry_login import registry_login

FOLDER = Path("/run/secrets")
VOLUMES = Path("/var/lib/marquee")


def main(arguments: list[str], folder: Path = FOLDER, volumes: Path = VOLUMES) -> int:
    """Do what the command line asks; 2 for what it does not understand."""
    match arguments:
        case ["make"]:
            with one_writer(folder):
                make_all(folder, volumes)
        case ["show", name] if name in UIDS:
            sys.stdout.write((folder / name).read_text() + "\n")
        case ["set", name] if name in UIDS:
            given = sys.stdin.read().strip()
            with one_writer(folder):
                write_secret(folder / name, given, UIDS[name])
                make_all(folder, volumes)
        case ["login", registry]:
            return keep_login(registry, sys.stdin.read(), folder)
        case _:
            names = ", ".join(sorted(UIDS))
            sys.stderr.write(
                "secrets: make | show NAME | set NAME < FILE | login HOST:PORT < config.json;"
                f" names: {names}\n"
            )
            return 2
    return 0


def keep_login(registry: str, configuration: str, folder: Path) -> int:
    """Give Jenkins's helper the login to one registry, or none; 1 where it cannot be had."""
    try:
        login = registry_login(registry, configuration)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with one_writer(folder):
        write_secret(folder / REGISTRY, login, UIDS[REGISTRY])
    return 0


def make_all(folder: Path, volumes: Path) -> None:
    """Write every missing secret and give each shared volume to its one writer."""
    for secret in SECRETS:
        if not (folder / secret.name).exists():
            write_secret(folder / secret.name, secret.make(), secret.uid)
    follow(folder)
    for volume, uid in VOLUME_OWNERS.items():
        if (volumes / volume).is_dir():
            os.chown(volumes / volume, uid, uid)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Give one database role a new password while everything runs; nobody is locked out.

The new files wait beside their places until PostgreSQL has the new password, and are renamed
into place right before that counts. Whoever connects in that instant is refused once and tries
again, as after any lost connection; sessions that are open stay open. Killed half way, it left
PostgreSQL the old password: it is run again, or the next start tells PostgreSQL what the files say,
`migrate` that of a role, and PostgreSQL itself its owner's (compose/images/postgres/start.sh).
"""

import json
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from compose.secrets.__main__ import FOLDER
from compose.secrets.files import SALT_BYTES, VERIFIERS, one_writer, passfile, write_beside
from compose.secrets.inventory import (
    MIGRATE_UID,
    OWNER,
    PASSFILE_READERS,
    UIDS,
    new_password,
)
from compose.secrets.scram import scram_verifier

BY_HAND = {
    "slack": "Set it: docker compose run --rm -T secrets set slack < FILE",
    "grafana": "Set it in Grafana, then: docker compose run --rm -T secrets set grafana < FILE",
    "jenkins": "docker compose run --rm -T secrets set jenkins < FILE, then restart jenkins",
}
OF_ANOTHERS_BROKER = (
    "Set what its owner gives you: docker compose run --rm -T secrets set {} < FILE"
)


def rotate(connection: psycopg.Connection, folder: Path, name: str) -> None:
    """Replace the password `name` in PostgreSQL and in the files of whoever uses it.

    Args:
        connection: as the database's owner, in autocommit mode.
        folder: the secrets volume.
        name: a role, or `postgres` for the owner.
    """
    password = new_password()
    verifier = scram_verifier(password, secrets.token_bytes(SALT_BYTES))
    role = connection.info.user if name == OWNER else name
    change = sql.SQL("ALTER ROLE {} PASSWORD {}").format(
        sql.Identifier(role), sql.Literal(verifier)
    )
    with one_writer(folder), connection.transaction():
        waiting = {
            folder / file: write_beside(folder / file, text, uid)
            for file, (text, uid) in _files(folder, name, password, verifier).items()
        }
        connection.execute(change)
        for place, file in waiting.items():
            file.rename(place)


def _files(folder: Path, name: str, password: str, verifier: str) -> Mapping[str, tuple[str, int]]:
    """What each file is to say, and who reads it; the one that services log in by comes last."""
    reader, uid = PASSFILE_READERS[name]
    files = {name: (password, UIDS[name])}
    if name != OWNER:
        known = json.loads((folder / VERIFIERS).read_text())
        files[VERIFIERS] = (json.dumps(known | {name: verifier}), MIGRATE_UID)
    return files | {f"{reader}.pgpass": (passfile(password), uid)}


def rotate_by_name(conninfo: str, name: str) -> int:
    """Rotate what the command line names; 2 for what has no password of the database."""
    if name in PASSFILE_READERS:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            rotate(connection, FOLDER, name)
        sys.stdout.write(f"{name} has a new password: services use it when they next connect\n")
        return 0
    names = ", ".join(PASSFILE_READERS)
    if name in UIDS:
        sys.stderr.write(f"{BY_HAND.get(name, OF_ANOTHERS_BROKER.format(name))}\n")
    else:
        sys.stderr.write(f"'{name}' has no password of the database; NAME is one of {names}\n")
    return 2

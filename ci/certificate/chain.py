"""The certificates in `deployment`, each bound to the one before it by its hash."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row

from ci.certificate.contents import text_hash


@dataclass(frozen=True)
class Promotion:
    """A step that made a version live, as it is recorded, and its certificate."""

    step_id: int
    action: str
    version: str
    slot: str
    certificate: str | None
    certificate_hash: str | None


@dataclass(frozen=True)
class Checked:
    """What a look at all certificates found."""

    hashes: tuple[str, ...]
    """Of those there are, oldest first."""
    problems: tuple[str, ...]


def newest_hash(connection: psycopg.Connection) -> str | None:
    """What the next certificate has to name."""
    row = connection.execute(
        "SELECT certificate_hash FROM deployment WHERE certificate_hash IS NOT NULL"
        " ORDER BY step_id DESC LIMIT 1"
    ).fetchone()
    return row[0] if row else None


def check(connection: psycopg.Connection) -> Checked:
    """Hold each certificate against its hash, the one before it, and the rows it tells of."""
    with connection.cursor(row_factory=class_row(Promotion)) as cursor:
        promotions = cursor.execute(
            "SELECT step_id, action, version, slot, certificate, certificate_hash FROM deployment"
            " WHERE step = 'promote' AND step_id >= (SELECT min(step_id) FROM deployment"
            " WHERE certificate_hash IS NOT NULL OR certificate IS NOT NULL) ORDER BY step_id"
        ).fetchall()
    hashes: list[str] = []
    problems: list[str] = []
    for promotion in promotions:
        before = hashes[-1] if hashes else None
        problems += [
            f"step {promotion.step_id}: {found}" for found in _wrong(connection, promotion, before)
        ]
        if promotion.certificate_hash:
            hashes.append(promotion.certificate_hash)
    return Checked(tuple(hashes), tuple(problems))


_KEYS = {"steps": "step_id", "gates": "measurement_id"}
_TABLES = {"steps": "deployment", "gates": "gate_measurement"}


def _wrong(
    connection: psycopg.Connection, promotion: Promotion, before: str | None
) -> Iterator[str]:
    if promotion.certificate is None or promotion.certificate_hash is None:
        yield "has no certificate"
        return
    if text_hash(promotion.certificate) != promotion.certificate_hash:
        yield "the certificate was changed"
        return
    told = json.loads(promotion.certificate)
    if told["previous"] != before:
        yield "the certificate does not follow the one before it"
    for name in ("action", "version", "slot"):
        if told[name] != getattr(promotion, name):
            yield f"the row says {name} {getattr(promotion, name)}, the certificate {told[name]}"
    for kind in _KEYS:
        yield from _rows_changed(connection, kind, told[kind])


def _rows_changed(
    connection: psycopg.Connection, kind: str, told: list[dict[str, Any]]
) -> Iterator[str]:
    table, key = _TABLES[kind], _KEYS[kind]
    query = f"SELECT * FROM {table} WHERE {key} = ANY(%s)".encode()  # noqa: S608 -- constants
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(query, ([one[key] for one in told],)).fetchall()
    rows = {row[key]: row for row in found}
    for one in told:
        row = rows.get(one[key], {})
        if {name: row.get(name) for name in one} != one:
            yield f"{table} {one[key]} is not as it was when the certificate was issued"

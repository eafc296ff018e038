"""A release's own certificate: what its slots counted, and each figure that it was judged by."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from ci.certificate.chain import newest_hash
from ci.certificate.contents import answers_proven, certificate_text
from ci.slots.traffic import Counted


@dataclass(frozen=True)
class Promoted:
    """What went live, in place of what, by which code."""

    action: str
    version: str
    slot: str
    in_place_of: str | None
    commit: str
    """Of the releaser."""
    code: dict[str, str] | None
    """The image that its slot got, by name and SHA-256; None where it kept its own."""


def issue(
    connection: psycopg.Connection, promoted: Promoted, begun: Counted, ended: Counted
) -> str:
    """The certificate of what goes live now, to be recorded with that step."""
    return certificate_text(
        {
            **vars(promoted),
            **answers_proven(ended.since(begun)),
            "counted_by": "the slots",
            "counted_from": begun.at.isoformat(),
            "counted_until": ended.at.isoformat(),
            "steps": _rows(connection, _STEPS),
            "gates": _rows(connection, _GATES),
            "previous": newest_hash(connection),
        }
    )


_STEPS = """
SELECT step_id, step, version, slot, share, reason FROM deployment
WHERE step_id >= (SELECT max(step_id) FROM deployment WHERE step = 'start')
ORDER BY step_id
"""

_GATES = """
SELECT measurement_id, share, evidence, metric, value, live_value, bound, verdict
FROM gate_measurement
WHERE at >= (SELECT at FROM deployment WHERE step = 'start' ORDER BY step_id DESC LIMIT 1)
ORDER BY measurement_id
"""


def _rows(connection: psycopg.Connection, query: str) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()

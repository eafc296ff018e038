"""Which code each slot runs: rows that a release of code leaves, and what they come to."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import psycopg

from ci.slots.state import Slot


class Outcome(StrEnum):
    """What became of the code that a slot got."""

    GIVEN = "given"
    """It is being recreated with it: whoever does that may die, so it may run it from now on."""
    PLACED = "placed"
    """It runs it, to be tried."""
    RELEASED = "released"
    """It keeps it."""
    TAKEN_BACK = "taken back"
    """It runs what it ran before."""


@dataclass(frozen=True)
class Code:
    """An image of the slots."""

    image: str
    """Its name: by commit and lock, or by digest where it came from a registry."""
    image_id: str
    """SHA-256 of what the engine has."""


def record_code(
    connection: psycopg.Connection,
    slot: Slot,
    code: Code,
    outcome: Outcome,
    job_id: int | None = None,
) -> None:
    """Record that a slot got an image, or has its own again; once, however often it is told.

    Whose session is lost as it records does not know whether it did, and tells it again.

    Args:
        connection: one that commits by itself.
        slot: which.
        code: the image.
        outcome: what became of it.
        job_id: of the release; None where nothing was live that could have been released.
    """
    connection.execute(
        "INSERT INTO code_release (slot, image, image_id, outcome, job_id)"
        " SELECT %(slot)s, %(image)s, %(image_id)s, %(outcome)s, %(job_id)s WHERE NOT EXISTS ("
        "  SELECT FROM (SELECT image_id, outcome, job_id FROM code_release WHERE slot = %(slot)s"
        "   ORDER BY release_id DESC LIMIT 1) AS newest"
        "  WHERE image_id = %(image_id)s AND outcome = %(outcome)s"
        "  AND job_id IS NOT DISTINCT FROM %(job_id)s::bigint)",
        {"slot": slot, "outcome": outcome, "job_id": job_id, **vars(code)},
    )


def outcome_in(connection: psycopg.Connection, job_id: int | None, slot: Slot) -> Outcome | None:
    """What became so far of the code that a release gave a slot; None before it got it."""
    row = connection.execute(
        "SELECT outcome FROM code_release WHERE job_id = %s AND slot = %s"
        " ORDER BY release_id DESC LIMIT 1",
        (job_id, slot),
    ).fetchone()
    return Outcome(row[0]) if row else None


def outcome_since(connection: psycopg.Connection, job_id: int | None, slot: Slot) -> Outcome | None:
    """What became last of a slot since a release first gave code to any, whoever told that.

    A slot that its release's script left behind may be settled by the next script.
    """
    row = connection.execute(
        "SELECT outcome FROM code_release WHERE slot = %s"
        " AND release_id >= (SELECT min(release_id) FROM code_release WHERE job_id = %s)"
        " ORDER BY release_id DESC LIMIT 1",
        (slot, job_id),
    ).fetchone()
    return Outcome(row[0]) if row else None


def untried(connection: psycopg.Connection, slot: Slot) -> str | None:
    """The image that a slot got to be tried and has neither kept nor given back, if so."""
    row = connection.execute(
        "SELECT image, outcome, EXISTS (SELECT FROM deployment"
        "   WHERE deployment.job_id = code_release.job_id AND step = 'promote')"
        " FROM code_release WHERE slot = %s ORDER BY release_id DESC LIMIT 1",
        (slot,),
    ).fetchone()
    if row is None or row[1] not in {Outcome.GIVEN, Outcome.PLACED} or row[2]:
        return None
    return str(row[0])


def code_of(connection: psycopg.Connection, job_id: int | None) -> Code | None:
    """The code that a release brought; None of any other job."""
    row = connection.execute(
        "SELECT image, image_id FROM code_release WHERE job_id = %s"
        " ORDER BY release_id DESC LIMIT 1",
        (job_id,),
    ).fetchone()
    return Code(*row) if row else None


def running(connection: psycopg.Connection) -> dict[Slot, Code | None]:
    """What each slot runs; None of one that still has what it began with."""
    rows = connection.execute(
        "SELECT slot, image, image_id, outcome FROM code_release ORDER BY release_id"
    ).fetchall()
    return running_after(
        (Slot(slot), Code(image, image_id), Outcome(outcome))
        for slot, image, image_id, outcome in rows
    )


def running_after(got: Iterable[tuple[Slot, Code, Outcome]]) -> dict[Slot, Code | None]:
    """What each slot runs after it got all of this, oldest first."""
    kept: dict[Slot, Code | None] = dict.fromkeys(Slot)
    runs = dict(kept)
    for slot, code, outcome in got:
        runs[slot] = code
        if outcome is Outcome.TAKEN_BACK:  # for what the other runs, but where that failed here
            others = runs[slot.other]
            failed_here = others is not None and others.image_id == code.image_id
            runs[slot] = kept[slot] if failed_here else others
        if outcome in {Outcome.RELEASED, Outcome.TAKEN_BACK}:
            kept[slot] = runs[slot]
    return runs


def difference(connection: psycopg.Connection) -> str | None:
    """How the slots' code differs, in words; None where both run the same.

    Between two releases of code they do. A version that is released then meets the code that
    answered people until now. The first one meets none such, and has to be ready in both slots.
    """
    runs = running(connection)
    if len({code and code.image_id for code in runs.values()}) == 1:
        return None
    told = (f"{slot} the code of {code.image if code else 'before'}" for slot, code in runs.items())
    return f"a release of code was cut short: {' and '.join(told)} (make release-code)"

"""Which code each slot got: rows that a release of code leaves, for whoever asks later."""

from enum import StrEnum

import psycopg

from ci.slots.state import Slot


class Outcome(StrEnum):
    """How it ended."""

    RELEASED = "released"
    TAKEN_BACK = "taken back"


def record_code(
    connection: psycopg.Connection, slot: Slot, image: str, image_id: str, outcome: Outcome
) -> None:
    """Record that a slot got an image.

    Args:
        connection: one that commits by itself.
        slot: which.
        image: its name.
        image_id: SHA-256 of what the engine has.
        outcome: whether it kept it.
    """
    connection.execute(
        "INSERT INTO code_release (slot, image, image_id, outcome) VALUES (%s, %s, %s, %s)",
        (slot, image, image_id, outcome),
    )

"""How much a slot that is killed loses: the age of the oldest answer whose receipt is gone."""

import http.client
import time
from pathlib import Path

import psycopg

from tests.benchmarks.serving_versions import VERSION, publish
from tests.integration.serving import RunningSlot, Slots
from tests.waiting import eventually

KILLS = 5
ASKED_SECONDS = 1.0


def lost_by_sigkill(folder: Path, conninfo: str) -> dict[str, tuple[float, str]]:
    """The most of some kills, under as many requests as one connection can ask."""
    folder.mkdir()
    slots = Slots(folder, conninfo)
    publish(slots.models, 610)
    ages, lost = [], []
    try:
        for turn in range(KILLS):
            slot = slots.start("blue", VERSION)
            answered_at = ask(slot, first_user=1_000_000 * (turn + 1))
            slot.kill()
            killed_at = time.monotonic()
            gone = answered_at.keys() - stored_after_a_restart(slots, conninfo)
            lost.append(len(gone))
            ages.append(max((killed_at - answered_at[user] for user in gone), default=0.0))
    finally:
        slots.end()
    return {
        "receipts_lost_by_sigkill": (max(lost), ""),
        "receipts_lost_by_sigkill_age_ms": (max(ages) * 1000, "ms"),
    }


def ask(slot: RunningSlot, first_user: int) -> dict[int, float]:
    """When each user was answered; each is asked for once."""
    answered_at: dict[int, float] = {}
    connection = http.client.HTTPConnection("127.0.0.1", slot.port)
    begun = time.monotonic()
    while time.monotonic() < begun + ASKED_SECONDS:
        user = first_user + len(answered_at)
        connection.request("GET", f"/recommend/{user}")
        connection.getresponse().read()
        answered_at[user] = time.monotonic()
    connection.close()
    return answered_at


def stored_after_a_restart(slots: Slots, conninfo: str) -> set[int]:
    """Whose receipts there are when the next process has stored what the last one left."""
    heir = slots.start("blue", VERSION)
    eventually(lambda: heir.readiness()["receipts_queued"] == 0)
    time.sleep(0.5)
    heir.kill()
    with psycopg.connect(conninfo) as connection:
        return {user for (user,) in connection.execute("SELECT user_id FROM receipt")}

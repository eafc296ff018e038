"""What a release of code would do now, in words: each step, what would stop it, and its undo."""

from collections.abc import Iterator

import psycopg

from ci.code.rollout import Asked, bounded_settings, steps
from ci.release import records
from ci.release.description import described, first_of_all, line
from ci.release.plan import target_of
from ci.settings import Settings

BACK = "make rollback: both slots get the code before"


def planned(connection: psycopg.Connection, settings: Settings, asked: Asked) -> Iterator[str]:
    """The lines that `make release-code PLAN=1` prints; nothing is changed."""
    deployed = records.deployed(connection)
    if deployed.live is None:
        yield f"nothing is live: both slots get the code of {asked.image}, one after the other"
        return
    yield from first_of_all(connection, deployed)
    held_to, live = bounded_settings(settings, asked), deployed.live
    target = target_of(live.version, deployed)
    place, *others, promote = steps(settings, deployed, target, back=asked.back)
    yield (
        f"release of the code of {asked.image} with {live.version} in {target.slot}, in place of"
        f" that of {live.slot}: {len(others) + 5} steps"
    )
    told = [
        (
            "start",
            "all buckets go to the live slot; ends the running experiment",
            "nothing to undo",
        ),
        described(place, deployed, held_to),
        ("code", f"{target.slot} is recreated with it", f"{target.slot} gets its own code again"),
        *(described(step, deployed, held_to) for step in others),
        (*described(promote, deployed, held_to)[:2], BACK),
        ("", f"{live.slot} is recreated with it, too", BACK),
    ]
    for number, (name, what, undo) in enumerate(told, 1):
        yield line(number, name, what, undo)

"""What a release does to the state volume; a second time changes nothing, so each may be repeated.

`settle` undoes them all: it makes the volume say what the database says is live, and `is_settled`
tells whether it does.
"""

from datetime import UTC, datetime
from pathlib import Path

import structlog

from ci.release.plan import DeploymentState, Placement
from ci.settings import Settings
from ci.slots import popular_lists, state
from ci.slots.state import BUCKETS
from compose.service.assignment import (
    Assignment,
    AssignmentError,
    Interleaved,
    assign,
    assignment_file,
    read_assignment,
)

LOG = structlog.get_logger()


def settle(settings: Settings, deployed: DeploymentState) -> None:
    """Make the state volume say what is live, traffic first.

    The slot without traffic gets what a rollback returns to, and what Nginx asks when the
    live slot fails.
    """
    live, standby = deployed.live, deployed.standby
    if live is None or standby is None:
        return
    send(settings, live, BUCKETS)
    for placement in (live, standby):
        place(settings, placement)
    publish_popular(settings, live.version)


def is_settled(settings: Settings, deployed: DeploymentState) -> bool:
    """Whether the state volume says what the database says is live, and nothing else."""
    live, standby = deployed.live, deployed.standby
    if live is None or standby is None:
        return True
    everybody = state.green_buckets(live.slot, live.version, BUCKETS, 0)
    return state.sent_to_green(settings.state_directory) == everybody and all(
        told_last(assignment_file(settings.state_directory, placement.slot))
        == Assignment(placement.version)
        for placement in (live, standby)
    )


def send(settings: Settings, target: Placement, share: int, seed: int = 0) -> None:
    """Send `share` of 1,000 buckets to the target's slot and the others to the other.

    Which these are, version and seed say.
    """
    buckets = state.green_buckets(target.slot, target.version, share, seed)
    state.send_to_green(settings.state_directory, buckets)


def place(settings: Settings, target: Placement, beside: Interleaved | None = None) -> None:
    """Tell the target's slot to load these versions, unless it was told that last."""
    file = assignment_file(settings.state_directory, target.slot)
    if told_last(file) != Assignment(target.version, beside):
        assign(file, target.version, datetime.now(UTC), beside)


def told_last(file: Path) -> Assignment | None:
    """What a slot was told last; a file that is damaged tells nothing, and is written anew."""
    try:
        return read_assignment(file)
    except AssignmentError as error:
        LOG.warning("assignment damaged", why=str(error))
        return None


def publish_popular(settings: Settings, version: str) -> None:
    """Give Nginx the version's popularity list; keep the old one if the version is gone."""
    try:
        popular_lists.publish_popular(settings.state_directory, settings.models_directory, version)
    except FileNotFoundError as error:
        LOG.warning("popularity list kept", version=version, why=str(error))

"""What all promotions so far come to: what is live, and what rollbacks return to; no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass

from ci.release.plan import DeploymentState, Placement

OF_CODE = ("code release", "code rollback")
"""What brings other code and leaves the model as it is."""


@dataclass(frozen=True)
class Promotion:
    """What went live, and by what: a release or a rollback, of a model or of code."""

    action: str
    live: Placement


def deployed_after(promotions: Iterable[Promotion]) -> DeploymentState:
    """What is live after these, oldest first, and what the next rollback returns to.

    Releases are piled up and a rollback takes the topmost off: what was left by a rollback is
    nothing to return to, and a rollback of a rollback goes one version further back. Other code
    has the same version, in the other slot.
    """
    pile: list[Placement] = []
    for promotion in promotions:
        if pile and pile[-1] == promotion.live:  # recorded twice
            continue
        if promotion.action == "rollback":
            del pile[-2:]
        elif promotion.action in OF_CODE:
            del pile[-1:]
        pile.append(promotion.live)
    live = pile[-1] if pile else None
    if live is None or len(pile) < 2:  # noqa: PLR2004 -- the live one and the one before
        return DeploymentState(live)
    return DeploymentState(live, Placement(live.slot.other, pile[-2].version))

"""What all promotions so far come to: what is live, and what rollbacks return to; no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass

from ci.release.plan import DeploymentState, Placement


@dataclass(frozen=True)
class Promotion:
    """What went live, and by what: a release, or a rollback."""

    action: str
    live: Placement


def deployed_after(promotions: Iterable[Promotion]) -> DeploymentState:
    """What is live after these, oldest first, and what the next rollback returns to.

    Releases are piled up and a rollback takes the topmost off: what was left by a rollback is
    nothing to return to, and a rollback of a rollback goes one version further back.
    """
    pile: list[Placement] = []
    for promotion in promotions:
        if promotion.action == "rollback":
            del pile[-2:]
        pile.append(promotion.live)
    live = pile[-1] if pile else None
    return DeploymentState(live, pile[-2] if len(pile) > 1 else None)

"""How a release has people judge its version: by an experiment of its own, at one share of them.

The buckets are those that the release moved, so whoever is with the version stays with it.
"""

from dataclasses import dataclass
from datetime import timedelta

import psycopg

from ci.release import experiments
from ci.release.plan import Placement
from ci.slots.state import canary_order

MARGIN = 0.05
"""People may do this much worse, as a share, before a release has to know of it."""
FEWEST_PLANNED = 1000
"""Plans for fewer people make intervals wide for everybody who comes after them."""

ANSWERED_WITHIN = "SELECT count(DISTINCT user_id) FROM receipt WHERE time > now() - %s::interval"


@dataclass(frozen=True)
class Draw:
    """How many of 1,000 buckets the target got, and the number by which they were drawn."""

    share: int
    seed: int


def begin(
    connection: psycopg.Connection,
    live: Placement,
    target: Placement,
    draw: Draw,
    horizon: timedelta,
) -> None:
    """Have evaluation compare the target with what is live, by the buckets that were drawn."""
    row = connection.execute(ANSWERED_WITHIN, (horizon,)).fetchone()
    design = experiments.Design(
        name=f"release of {target.version}",
        salt=target.version,
        seed=draw.seed,
        horizon=horizon,
        margin=MARGIN,
        largest_sample=max(FEWEST_PLANNED, row[0] if row else 0),
    )
    buckets = canary_order(target.version, draw.seed)[: draw.share]
    experiments.begin(connection, design, live, target, buckets)

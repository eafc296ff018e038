"""How a release has people judge its version: by an experiment of its own, at one share of them.

The buckets are those that the release moved, so whoever is with the version stays with it.
"""

from dataclasses import dataclass
from datetime import timedelta

import psycopg

from ci.release.plan import Placement
from ci.release.state import canary_order

MARGIN = 0.05
"""People may do this much worse, as a share, before a release has to know of it."""
FEWEST_PLANNED = 1000
"""Plans for fewer people make intervals wide for everybody who comes after them."""

ANSWERED_LATELY = "SELECT count(DISTINCT user_id) FROM receipt WHERE time > now() - %s::interval"


@dataclass(frozen=True)
class Trial:
    """A version that is tried on a share of people, against what is live."""

    live: Placement
    target: Placement
    share: int
    """Buckets of 1,000."""
    horizon: timedelta
    """How long after a person's first answer what they do counts."""


def begin(connection: psycopg.Connection, trial: Trial) -> None:
    """Have evaluation count, from now on, what people of both arms do."""
    row = connection.execute(ANSWERED_LATELY, (trial.horizon,)).fetchone()
    planned = max(FEWEST_PLANNED, row[0] if row else 0)
    version = trial.target.version
    connection.execute(
        "WITH begun AS ("
        " INSERT INTO experiment (name, control, challenger, challenger_slot, salt, seed, horizon,"
        " margin, largest_sample)"
        " VALUES (%(name)s, %(control)s, %(challenger)s, %(slot)s, %(challenger)s, 0, %(horizon)s,"
        " %(margin)s, %(planned)s) RETURNING experiment_id)"
        " INSERT INTO experiment_stratum (experiment_id, stratum, share, buckets)"
        " SELECT experiment_id, 1, %(share)s, %(buckets)s FROM begun",
        {
            "name": f"release of {version}",
            "control": trial.live.version,
            "challenger": version,
            "slot": trial.target.slot,
            "horizon": trial.horizon,
            "margin": MARGIN,
            "planned": planned,
            "share": trial.share,
            "buckets": sorted(canary_order(version)[: trial.share]),
        },
    )

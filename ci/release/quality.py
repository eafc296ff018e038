"""What people get from a version that is released, and at one share whether they are better off.

People judge by an experiment of the release's own. Its buckets are those that the release moved,
so whoever is with the version stays with it.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg.rows import dict_row

from ci.errors import AbortedError
from ci.release import experiments
from ci.release.plan import DeploymentState, Placement
from ci.slots.state import canary_order
from monitoring.experiments.estimates import Sums
from monitoring.experiments.guardrails import harms

MARGIN = 0.05
"""People may do this much worse, as a share, before a release has to know of it."""
FEWEST_PLANNED = 1000
"""Plans for fewer people make intervals wide for everybody who comes after them."""

ANSWERED_WITHIN = "SELECT count(DISTINCT user_id) FROM receipt WHERE time > now() - %s::interval"

GOT = """
SELECT slot, figure, count(*) AS people, sum(y) AS y, sum(y * y) AS yy,
       sum(x) AS x, sum(x * x) AS xx, sum(x * y) AS xy
FROM (
    SELECT slot, user_id, count(*)::float8 AS answers,
           count(*) FILTER (WHERE movie_ids = '{}')::float8 AS empty,
           count(*) FILTER (WHERE reason IN ('model', 'fold_in'))::float8 AS personalised
    FROM receipt
    WHERE time >= %(since)s AND (slot, model_version) IN
        ((%(live_slot)s, %(live)s), (%(target_slot)s, %(target)s))
    GROUP BY slot, user_id
) AS person
CROSS JOIN LATERAL (VALUES ('empty', empty, answers), ('personalised', personalised, answers))
    AS measure (figure, y, x)
GROUP BY slot, figure
"""
LOOKED_BACK = timedelta(minutes=10)
"""A share may be held for days; what people got lately tells whether to go on."""
GUARD_SECONDS = 2.0
"""Between two looks at what people got: one takes up to 37 ms of the database's time."""
NOBODY = Sums(0, 0.0, 0.0)


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


@dataclass
class Guard:
    """Looks whether people get empty or less personal answers from the target at its share.

    Slots do not tell whom they answered, and a person's answers hang together: receipts tell.
    """

    connection: psycopg.Connection
    deployed: DeploymentState
    """What is live is compared with; nothing is while nothing is."""
    target: Placement
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When the target got its present share, UTC."""
    due: float = 0.0
    """When to look again, in seconds since then."""

    def look_if_due(self, elapsed: float) -> None:
        """Look, unless that was done a moment ago.

        Args:
            elapsed: seconds since the target got its share.

        Raises:
            AbortedError: as `look`.
        """
        if elapsed >= self.due:
            self.due = elapsed + GUARD_SECONDS
            self.look()

    def look(self) -> None:
        """Compare what people got until now.

        Raises:
            AbortedError: it is worse, beyond chance and the guardrail's limit.
        """
        if (live := self.deployed.live) is None:
            return
        sums, target = self.got(live), self.target
        strata = {
            figure: [
                (sums.get((figure, live.slot), NOBODY), sums.get((figure, target.slot), NOBODY))
            ]
            for figure in ("empty", "personalised")
        }
        if words := harms(strata, FEWEST_PLANNED):
            raise AbortedError("; ".join(words))

    def got(self, live: Placement) -> dict[tuple[str, str], Sums]:
        """By figure and slot, what people got lately."""
        lately = max(self.since, datetime.now(UTC) - LOOKED_BACK)
        values = {"since": lately, "live": live.version, "target": self.target.version}
        slots = {"live_slot": live.slot, "target_slot": self.target.slot}
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return {
                (row.pop("figure"), row.pop("slot")): Sums(**row)
                for row in cursor.execute(GOT, values | slots)
            }

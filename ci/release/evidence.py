"""What a release was judged by, kept in the database: measurements, and why one was rejected."""

from dataclasses import asdict, dataclass, field

import httpx
import psycopg
from psycopg.types.json import Jsonb

from ci import metrics
from ci.release.plan import Bounds, Finding, Observed
from ci.release.replay import Exchange, Measurement

LIVE, REPLAYED = "live", "replayed"
LOG_LINES = 50


@dataclass
class Evidence:
    """What was seen of a version so far: the last of each figure, and lists that differed."""

    job_id: int | None
    version: str
    last: dict[str, float] = field(default_factory=dict)
    differing: tuple[Exchange, ...] = ()

    def without_live(self) -> str | None:
        """What a verdict rests on while nobody asks: replayed requests, if there were any."""
        return REPLAYED if any(name.startswith(REPLAYED) for name in self.last) else None

    def measure(self, kind: str, share: int, measured: tuple[Measurement, ...]) -> None:
        """Show measurements to Prometheus, and remember the last of each."""
        for one in measured:
            metrics.GATE.labels(kind, one.metric).set(one.value)
            self.last[f"{kind} at {share}: {one.metric}"] = one.value

    def keep(
        self,
        connection: psycopg.Connection,
        kind: str,
        share: int,
        measured: tuple[Measurement, ...],
        finding: Finding,
    ) -> None:
        """Keep the measurements that a verdict was made from, each a row."""
        self.measure(kind, share, measured)
        connection.cursor().executemany(
            "INSERT INTO gate_measurement"
            " (job_id, version, share, evidence, metric, value, live_value, bound, verdict, reason)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    self.job_id,
                    self.version,
                    share,
                    kind,
                    one.metric,
                    one.value,
                    one.live,
                    one.bound,
                    finding.verdict,
                    finding.words,
                )
                for one in measured
            ],
        )

    def reject(
        self, connection: psycopg.Connection, slot: str, reason: str, log: list[str]
    ) -> None:
        """Keep why the version was rejected, with all that was seen of it."""
        connection.execute(
            "INSERT INTO rejected_candidate (job_id, version, slot, reason, figures, answers, log)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (
                self.job_id,
                self.version,
                slot,
                reason,
                Jsonb(self.last),
                Jsonb([_as_json(one) for one in self.differing]),
                log,
            ),
        )


def live_measurements(new: Observed, old: Observed, bounds: Bounds) -> tuple[Measurement, ...]:
    """What people's own requests say: the new version beside the old, as it is judged."""
    error, p99 = bounds.error_share, bounds.p99_seconds
    of_new, of_old = new.since, old.since
    return (
        Measurement("requests", of_new.requests, of_old.requests, None),
        Measurement("failed_share", of_new.error_share(), of_old.error_share(), error),
        Measurement("p99_seconds", of_new.p99_seconds(), of_old.p99_seconds(), p99),
    )


def slot_log(client: httpx.Client, url: str) -> list[str]:
    """The last lines that a slot logged; one that says so where it does not answer."""
    try:
        return client.get(f"{url}/log").raise_for_status().text.splitlines()[-LOG_LINES:]
    except httpx.HTTPError as error:
        return [f"the slot does not tell its log ({type(error).__name__})"]


def _as_json(exchange: Exchange) -> dict[str, object]:
    told = asdict(exchange)
    told["seen"] = sorted(exchange.seen.intersection(exchange.new.movies or ()))
    return told

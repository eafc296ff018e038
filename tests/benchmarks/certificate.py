"""Play releases under load, and write down what that proved: build/certificate.json.

    python -m tests.benchmarks.certificate [--swaps 20] [--rate 200]

Real slots, Nginx and PostgreSQL; receipts are on, half of the callers open a connection for each
request, and a training goes on beside. Each swap is a whole release, with the shortest gates.
Ends with 0 if every request was answered, with 1 if not.
"""

import json
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from psycopg.rows import dict_row

from ci.certificate.chain import check
from ci.certificate.contents import certificate_text, failing_share_at_most, text_hash
from tests.benchmarks.release_swaps import Answered, asked, releaser
from tests.benchmarks.report import ROOT, measured_commit
from tests.benchmarks.serving_training import load_movielens, training_beside
from tests.end_to_end.load import Outcome
from tests.integration.real_releases import RealStage, real_stage
from tests.stores import as_role, migrated_database

PATIENCE_SECONDS = 0.6
"""After which callers give up."""

GATES = """
SELECT evidence, metric, max(bound) AS bound, min(value) AS least, max(value) AS most,
       count(*) AS measurements
FROM gate_measurement GROUP BY evidence, metric ORDER BY evidence, metric
"""


def main(
    swaps: Annotated[int, typer.Option(min=1, help="How many releases.")] = 20,
    rate: Annotated[float, typer.Option(min=1, help="Requests a second.")] = 200,
) -> None:
    """Play, print, and write build/certificate.json."""
    commit = measured_commit()
    with migrated_database("certificate") as name, tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        load_movielens(as_role(name, "marquee"))
        with real_stage(folder, as_role(name, "releaser"), as_role(name, "recommender")) as stage:
            training = training_beside(folder, as_role(name, "trainer"))
            contents = {"commit": commit, "training_beside": True}
            contents |= played(stage, swaps, rate, PATIENCE_SECONDS, training)
    text = certificate_text(contents)
    target = ROOT / "build" / "certificate.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text + "\n")
    say(json.dumps(contents, indent=2))
    say(f"SHA-256 {text_hash(text)}")
    raise typer.Exit(1 if contents["failed"] else 0)


def played(
    stage: RealStage,
    swaps: int,
    rate: float,
    patience: float,
    beside: AbstractContextManager[None] | None = None,
) -> dict[str, Any]:
    """Play so many releases, and what that proved."""
    began = datetime.now(UTC)
    versions = [stage.live()]
    with (
        releaser(stage) as swap,
        beside or nullcontext(),
        asked(stage.port, rate, patience=patience) as answered,
    ):
        for number in range(1, swaps + 1):
            seconds = swap()
            versions.append(stage.live())
            say(f"swap {number} of {swaps}: {seconds:.1f} s, {answered.failed} requests failed")
    return {
        "began": began.isoformat(),
        "ended": datetime.now(UTC).isoformat(),
        "rate": rate,
        "patience_seconds": patience,
        "swaps": swaps,
        "versions": versions,
        **proven(answered, swaps),
        **recorded(stage.conninfo),
    }


def proven(answered: Answered, swaps: int) -> dict[str, Any]:
    """What callers got, and how bad it can be at most, at 95 %."""
    failed, requests = answered.failed, answered.requests
    return {
        "requests": requests,
        "failed": failed,
        "slowest_seconds": round(answered.slowest_seconds, 4),
        "failing_requests_share_at_most": failing_share_at_most(failed, requests),
        "failing_swaps_share_at_most": failing_share_at_most(failed, swaps),
        "on_kept_alive_connections": counts(answered.kept),
        "on_new_connections": counts(answered.new),
    }


def counts(outcome: Outcome) -> dict[str, Any]:
    """How many were sent, and what each that failed failed of."""
    return {"requests": outcome.sent, "failures": dict(outcome.failures)}


def recorded(conninfo: str) -> dict[str, Any]:
    """What the database tells of the releases: gates, certificates, receipts of the answers."""
    with psycopg.connect(conninfo, autocommit=True, row_factory=dict_row) as connection:
        gates = connection.execute(GATES).fetchall()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        checked = check(connection)
        return {
            "gates": gates,
            "receipts": receipts(connection),
            "certificates": len(checked.hashes),
            "certificates_changed": list(checked.problems),
            "newest_certificate": checked.hashes[-1],
        }


def receipts(connection: psycopg.Connection) -> int:
    """How many receipts have landed, once no more come."""
    before = -1
    while (now := _count(connection)) != before:
        before = now
        time.sleep(3)
    return now


def _count(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM receipt").fetchone()
    return int(row[0]) if row else 0


def say(line: str) -> None:
    """To whoever watches."""
    typer.echo(line)


if __name__ == "__main__":
    typer.run(main)

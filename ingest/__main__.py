"""The commands of this package, and the only place that wires it to the outside."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event
from typing import Annotated

import psycopg
import structlog
import typer
from kafka import KafkaProducer
from prometheus_client import start_http_server
from rich.console import Console

from compose.service.command_line import run as run_commands
from compose.service.database import DatabaseSettings
from compose.service.job_progress import show
from compose.service.jobs import JobLine
from compose.service.jobs import work as work_on_jobs
from compose.service.log import configure_logging
from ingest.audit.audit import audit as audit_tables
from ingest.audit.audit import audit_table
from ingest.errors import IngestError
from ingest.kafka.broker import KafkaSettings, asking, log_bounds, topic_id
from ingest.kafka.forwarder import forward as forward_connections
from ingest.kafka.lag import lines_waiting
from ingest.kafka.losses import accept_losses, lost_ranges
from ingest.kafka.recreation import accept_recreation
from ingest.kafka.replay import paced
from ingest.kafka.shifts import held_as_stored
from ingest.kafka.truncation import accept_truncations, truncations
from ingest.landing.admission_rules import admission_rules
from ingest.landing.consumer import run as run_consumer
from ingest.landing.estimate import estimate as estimate_stream
from ingest.landing.landed import is_landed
from ingest.metrics import INGEST, RETENTION, show_all_reasons
from ingest.offsets import stored_offsets
from ingest.rejects.reprocessing import readable_rejects, rejects_table
from ingest.rejects.reprocessing import reprocess as reprocess_rejects
from ingest.retention.retention_pass import retain, retention_table
from ingest.settings import IngestSettings, RetentionSettings
from ingest.worker import QUEUE, retention_app

LOG = structlog.get_logger()

app = typer.Typer(help="Kafka to PostgreSQL.", no_args_is_help=True, pretty_exceptions_enable=False)
retention = typer.Typer(help="What expires, and when.", no_args_is_help=True)
app.add_typer(retention, name="retain")


def _now() -> datetime:
    return datetime.now(UTC)


def _connect(settings: DatabaseSettings) -> psycopg.Connection:
    return psycopg.connect(settings.conninfo(), autocommit=True)


@app.command()
def run() -> None:
    """Land the lines of the topic in PostgreSQL, exactly once, until SIGTERM.

    Where Kafka or PostgreSQL is gone it waits and goes on by itself. Exits with 1 where
    only a person can decide: lines were lost at the broker, its log went back, the topic is
    another one, missing or cannot be read, or the broker does not let us in.
    """
    configure_logging("ingest")
    settings = IngestSettings()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    show_all_reasons()
    start_http_server(settings.metrics_port, registry=INGEST)
    try:
        run_consumer(settings, settings.conninfo(), _now, stop)
    except IngestError as error:
        LOG.critical("stopped", kind=type(error).__name__, error=str(error))
        raise typer.Exit(1) from error


@app.command()
def wait(
    timeout_seconds: Annotated[
        float, typer.Option(help="Give up when nothing lands for so long.")
    ] = 60,
) -> None:
    """Wait until all that the broker holds at this moment has landed.

    Exits with 1 when lines wait and none of them lands.
    """
    settings = IngestSettings()
    with _connect(settings) as connection:
        with asking(settings) as consumer:
            held = held_as_stored(consumer, connection, settings.kafka_topic)
        ends = {number: offsets.stop for number, offsets in held.items()}
        for waiting in lines_waiting(
            connection, settings.kafka_topic, ends, time.monotonic, timeout_seconds
        ):
            typer.echo(f"{sum(ends.values()) - waiting:,} of {sum(ends.values()):,} landed")


@app.command()
def audit(
    *,
    incremental: Annotated[
        bool, typer.Option(help="Only what came after the last audit that balanced.")
    ] = False,
) -> None:
    """Count every table against the offsets consumed, and say whether each line is there once.

    The result is kept in the table `ingest_audit`. Exits with 1 where it does not balance.
    """
    with _connect(DatabaseSettings()) as connection:
        partitions = audit_tables(connection, _now(), "incremental" if incremental else "full")
    typer.echo(audit_table(partitions))
    if not all(partition.balanced for partition in partitions):
        raise typer.Exit(1)


@app.command()
def estimate() -> None:
    """Try a sample of the lines that wait, and say what landing all of them will take.

    Nothing of the sample stays. Other load on this machine shows in the time.
    """
    settings = IngestSettings()
    with _connect(settings) as connection:
        rules = admission_rules(connection, settings).newest(_now())
        expected = estimate_stream(connection, rules, settings)
    typer.echo(
        f"{expected.lines:,} lines wait: some {expected.seconds / 60:.1f} minutes and"
        f" {expected.gib:.2f} GiB; {expected.rejected:.1%} of the sample are rejected"
        " (most often as expired: see TIME_TO_LIVE)"
    )


@app.command("accept-loss")
def accept_loss(
    reason: Annotated[str, typer.Argument(help="Why; kept beside the loss for whoever asks.")],
) -> None:
    """Give up the lines that the broker lost before they were read, and go on after them.

    They are written down in `stream_loss` and counted by the audit. Start ingest afterwards.
    """
    settings = IngestSettings()
    with asking(settings) as consumer, _connect(settings) as connection:
        stored = stored_offsets(connection, settings.kafka_topic)
        held = held_as_stored(consumer, connection, settings.kafka_topic)
        losses = lost_ranges(stored, held)
        accept_losses(connection, settings.kafka_topic, losses, reason)
    for number, offsets in losses.items():
        typer.echo(
            f"partition {number}: gave up {len(offsets):,} lines,"
            f" offsets {offsets.start} to {offsets.stop - 1}"
        )
    if not losses:
        typer.echo("nothing is lost: the broker has all that comes next")


@app.command("accept-new-topic")
def accept_new_topic(
    reason: Annotated[str, typer.Argument(help="Why; kept beside the change for whoever asks.")],
) -> None:
    """Go on with a topic that was deleted and made anew under the same name.

    Its offsets begin again, so its lines are stored as if they followed those of the old one;
    `stream_renewal` keeps what to subtract, and the audit goes on as before. What the old topic
    held and was not read yet is gone, and nobody can count it. Start ingest afterwards.
    """
    settings = IngestSettings()
    with asking(settings) as consumer, _connect(settings) as connection:
        held = log_bounds(consumer, settings.kafka_topic)
        identity = topic_id(settings)
        goes_on = accept_recreation(connection, settings.kafka_topic, identity, held, reason)
    for number, offset in goes_on.items():
        typer.echo(f"partition {number}: offset {held[number].start} is stored as {offset}")
    if not goes_on:
        typer.echo("nothing to accept: it is the topic that was read before")


@app.command("accept-truncation")
def accept_truncation(
    reason: Annotated[str, typer.Argument(help="Why; kept beside the change for whoever asks.")],
) -> None:
    """Go on with a log that went back: the broker lost lines that had landed, and took new ones.

    What landed stays. The new lines are read from the first offset at which the broker has
    another line than landed there, and are stored as if they followed what landed;
    `stream_renewal` keeps what to subtract, and the audit goes on as before. Start ingest
    afterwards.
    """
    settings = IngestSettings()
    with asking(settings) as consumer, _connect(settings) as connection:
        same = partial(is_landed, connection, settings.scale)
        new = truncations(consumer, connection, settings.kafka_topic, same)
        accept_truncations(connection, settings.kafka_topic, new, reason)
    for number, shift in new.items():
        typer.echo(
            f"partition {number}: from offset {shift.first_at_broker} on other lines stand than"
            f" landed; the first of them is stored as {shift.first_stored}"
        )
    if not new:
        typer.echo("nothing to accept: the broker has what landed last")


@app.command()
def rejects(
    samples: Annotated[int, typer.Option(help="How many lines to show of each reason.")] = 3,
) -> None:
    """Show how many lines were rejected for which reason, with the newest of each."""
    with _connect(DatabaseSettings()) as connection:
        typer.echo(rejects_table(connection, samples))


@app.command()
def reprocess() -> None:
    """Move the rejected lines that can be read by now to their tables, some thousands at a time.

    For after a change of the parser, the settings or the catalogue. Run it as the role
    `retention`, which may take lines out of `reject`. Interrupted, run it again: each line was
    moved or was not, and the audit balances.

    They keep their offsets, which everybody who follows the stream has passed: a training knows
    them from the next one on, online evaluation judges by them what is not closed yet, and
    recommendations that follow what somebody just did, and experiments, never see them.
    """
    count: Counter[str] = Counter()
    show(_reprocessed(RetentionSettings(), count), Console(highlight=False))
    typer.echo(f"{count.total():,} lines moved: {dict(count)}")


def _reprocessed(settings: RetentionSettings, count: Counter[str]) -> Iterator[JobLine]:
    """Move what can be read by now, a transaction at each turn; `count` gets what was moved."""
    read: int = 0
    with _connect(settings) as connection:
        total = readable_rejects(connection)
        admission = admission_rules(connection, settings)
        for moved in reprocess_rejects(connection, lambda: admission.newest(_now())):
            read += moved.read
            count.update(moved.rows.count)
            told = f"{count.total():,} of {read:,} refused lines moved"
            yield JobLine(_now(), told, min(1.0, read / max(1, total)))


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="Log lines, one a line.", exists=True)],
    speed: Annotated[float, typer.Option(help="How much faster than their times say.")] = 1,
) -> None:
    """Publish the lines of a file on the topic, as far apart as their times are."""
    settings = KafkaSettings()
    producer = KafkaProducer(**settings.client_options(), linger_ms=20)
    begun = time.monotonic()
    with file.open("rb") as lines:
        for due, line in paced((line.rstrip(b"\r\n") for line in lines), speed):
            time.sleep(max(0.0, begun + due - time.monotonic()))
            producer.send(settings.kafka_topic, line)
    producer.flush()
    producer.close()


@app.command()
def forward(
    listen: Annotated[str, typer.Argument(help="HOST:PORT to listen on.")],
    target: Annotated[str, typer.Argument(help="HOST:PORT to hand connections on to.")],
) -> None:
    """Hand connections on, for a broker that only an `ssh -L` tunnel on the host reaches."""
    asyncio.run(forward_connections(_host_and_port(listen), _host_and_port(target)))


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


@retention.command()
def work() -> None:
    """Do the jobs `retain`, `audit` and `catalogue` as they come due, until SIGTERM."""
    configure_logging("retention")
    settings = RetentionSettings()
    start_http_server(settings.metrics_port, registry=RETENTION)
    jobs = retention_app(settings, settings.conninfo(), _now)
    work_on_jobs(jobs, QUEUE, settings.heartbeat_file, may_refuse=False)


@retention.command("pass")
def do_pass(
    *, dry_run: Annotated[bool, typer.Option(help="Only say what would be dropped.")] = False
) -> None:
    """Say of each partition whether it may go and why, then do one pass of retention now."""
    configure_logging("retention")
    settings = RetentionSettings()
    with _connect(settings) as connection:
        typer.echo(retention_table(connection, settings, _now()))
        if not dry_run:
            retain(connection, settings, _now())


if __name__ == "__main__":
    run_commands(app, IngestError)

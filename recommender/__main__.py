"""`python -m recommender`: `serve` runs one slot, `explain` says why an answer was what it was."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from math import nan
from multiprocessing.util import Finalize
from threading import Event, Thread
from typing import Annotated
from uuid import UUID

import psycopg
import structlog
import typer
from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from compose.service.assignment import assignment_file
from compose.service.command_line import run as run_commands
from compose.service.log import configure_logging
from recommender.activity.follower import ActivityFollower
from recommender.activity.recent import RecentActivity
from recommender.activity.trending import Trending
from recommender.answers.answers import Answers
from recommender.answers.fallbacks import CurrentFallbacks
from recommender.app import create_app
from recommender.background import repeat
from recommender.connection import KeptConnection
from recommender.errors import NoReceiptError
from recommender.explanations.explanation import explain
from recommender.explanations.rendering import told
from recommender.garbage import SET_ASIDE_SECONDS, set_aside_what_stays
from recommender.metrics import Metrics
from recommender.own_answers import watch_own_answers
from recommender.receipts.queue import ReceiptQueue, ReceiptWriter
from recommender.receipts.spool import Spool
from recommender.receipts.store import ReceiptStore
from recommender.settings import Settings
from recommender.slot import Slot, age_seconds, offsets_trained_on

LOOK_FOR_MODEL_SECONDS = 0.5
FOLLOW_ACTIVITY_SECONDS = 0.2
REFRESH_FALLBACKS_SECONDS = 5.0
WRITE_RECEIPTS_SECONDS = 0.05
"""A slot that is killed loses the receipts of its last answers, for about so long."""
STORE_RECEIPTS_SECONDS = 0.1
DRAIN_SECONDS = 6.0
"""How long a slot that is told to stop goes on storing receipts; the rest waits on the disk."""
THREADS = 1
"""Answers are short and never wait, so a second thread would only fight for the interpreter."""
SWITCH_SECONDS = 0.001
"""How long an answer waits at most for the work beside it to give way."""

LOG = structlog.get_logger()

commands = typer.Typer(no_args_is_help=True, add_completion=False)


@commands.callback()
def recommender() -> None:
    """Answer users with the movies they will like, from one model version."""


@commands.command()
def serve() -> None:
    """Run one slot (SLOT=blue or green) until SIGTERM, which lets requests in flight end.

    The model is the one that STATE_DIR/slots/<slot>.json names; until it is loaded and
    verified, /recommend and /readyz say 503. All settings come from the environment.
    """
    configure_logging("recommender")
    settings = Settings()
    server = Server(
        "recommender",
        address="0.0.0.0",  # noqa: S104 -- in a container; what is published is Nginx
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        blocking_threads=THREADS,
        log_level=LogLevels.warning,
    )
    server.serve(target_loader=partial(start_slot, settings), wrap_loader=False)


@commands.command("explain")
def tell_why(
    receipt: Annotated[UUID, typer.Argument(help="the receipt's id, as an answer in JSON has it")],
) -> None:
    """Tell why an answer was what it was: its model, data, code, and what led to each movie.

    Exits with 1 if there is no such receipt. Runs where a slot runs, with its settings:
    docker compose exec recommender-blue python -m recommender explain RECEIPT
    """
    settings = Settings()
    with psycopg.connect(settings.conninfo(), autocommit=True) as connection:
        try:
            explanation = explain(connection, receipt, settings.models_dir / "versions")
        except NoReceiptError as error:
            typer.echo(error, err=True)
            raise typer.Exit(1) from error
    for line in told(explanation):
        typer.echo(line)


def start_slot(settings: Settings) -> Flask:
    """Wire a slot and start the work beside its answers; called in the process that answers."""
    sys.setswitchinterval(SWITCH_SECONDS)
    metrics = Metrics()
    assignment = assignment_file(settings.state_dir, settings.slot)
    slot = Slot(settings.models_dir, assignment, metrics)
    activity = RecentActivity(settings.activity_users)
    trending = Trending(datetime.now(UTC))
    fallbacks = CurrentFallbacks(trending, KeptConnection(settings.conninfo()))
    follower = ActivityFollower(
        KeptConnection(settings.conninfo()),
        settings.kafka_topic,
        activity,
        trending,
        metrics.freshness,
    )

    def follow_model() -> None:
        slot.follow(time.monotonic())
        if slot.interleaving is None:
            answers.forget_challenger()

    def follow_activity() -> None:
        if slot.model:
            follower.catch_up(offsets_trained_on(slot.model))
            metrics.activity_followed.set_to_current_time()

    def refresh_fallbacks() -> None:
        fallbacks.refresh(datetime.now(UTC), slot.model)

    stop = Event()
    queue, store = _keep_receipts(settings, metrics, stop)
    answers = Answers(activity, fallbacks.of, queue, metrics, settings.diversity)
    work = (
        ("model", follow_model, LOOK_FOR_MODEL_SECONDS),
        ("activity", follow_activity, FOLLOW_ACTIVITY_SECONDS),
        ("fallbacks", refresh_fallbacks, REFRESH_FALLBACKS_SECONDS),
        ("garbage", set_aside_what_stays, SET_ASIDE_SECONDS),
    )
    for each in work:
        _start(metrics, stop, *each)
    Thread(target=watch_own_answers, args=(settings.port, stop), daemon=True).start()

    metrics.activity_users.set_function(lambda: len(activity))
    metrics.model_age.set_function(
        lambda: age_seconds(slot.model, datetime.now(UTC)) if slot.model else nan
    )
    return create_app(settings.slot, slot, answers, lambda: len(queue) + len(store), metrics)


def _keep_receipts(
    settings: Settings, metrics: Metrics, stop: Event
) -> tuple[ReceiptQueue, ReceiptStore]:
    """Write and store receipts until `stop`, and then, for a while, what still waits."""
    queue = ReceiptQueue(settings.receipts_limit, metrics)
    spool = Spool(settings.receipts_dir, settings.receipts_bytes)
    writer = ReceiptWriter(queue, spool, settings.slot)
    store = ReceiptStore(KeptConnection(settings.conninfo()), settings.slot, spool, metrics)
    written = Event()
    writing = _start(metrics, stop, "receipts", writer.write_all, WRITE_RECEIPTS_SECONDS)
    storing = _start(metrics, written, "store", store.store_all, STORE_RECEIPTS_SECONDS)

    def end() -> None:
        _end_in_turn((stop, writing), (written, storing))
        if queue:
            LOG.error("receipts lost", count=len(queue))
        if len(store):
            LOG.warning("receipts wait on the volume for the next start", count=len(store))

    Finalize(None, end, exitpriority=1)
    metrics.receipts_queued.set_function(lambda: len(queue))
    metrics.receipts_spooled.set_function(lambda: len(store))
    return queue, store


def _start(
    metrics: Metrics, stop: Event, name: str, step: Callable[[], None], every_seconds: float
) -> Thread:
    failures = metrics.background_failures.labels(name)
    arguments = (name, step, every_seconds, stop, failures)
    thread = Thread(target=repeat, args=arguments, name=name, daemon=True)
    thread.start()
    return thread


def _end_in_turn(*work: tuple[Event, Thread]) -> None:
    """Stop each when the one before has ended, as far as there is time."""
    deadline = time.monotonic() + DRAIN_SECONDS
    for stop, thread in work:
        stop.set()
        thread.join(max(0.0, deadline - time.monotonic()))


if __name__ == "__main__":
    run_commands(commands)

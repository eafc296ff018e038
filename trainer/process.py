"""A training in a process of its own: it can be stopped at once, and its memory goes back.

The process that serves the queue stays quick to answer, and one that is killed for its
memory takes nothing with it but its own unfinished version.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import psycopg

from compose.service.log import configure_logging
from trainer.errors import DatabaseError, TrainerError, TrainingDiedError, VolumeError
from trainer.progress import Tell
from trainer.settings import Settings
from trainer.versions.manifest import Manifest

NICENESS = 10
POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Step:
    """A step that the training process has done."""

    message: str
    done: float


def train_beside(settings: Settings, tell: Tell, stopped: Callable[[], bool]) -> Manifest | None:
    """Train in a new process and wait for it.

    Args:
        settings: as for `train`.
        tell: is told each step, in this process.
        stopped: asked twice a second whether to give up.

    Returns:
        The version's manifest, or None when it was given up.

    Raises:
        TrainerError: whatever `train` raised, or TrainingDiedError: the process died.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_train, args=(settings, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        return _wait(process, ours, tell, stopped)
    finally:
        process.kill()
        process.join()
        ours.close()


def _wait(
    process: BaseProcess, pipe: Connection, tell: Tell, stopped: Callable[[], bool]
) -> Manifest | None:
    while not stopped():
        if not pipe.poll(POLL_SECONDS):
            continue
        try:
            received = pipe.recv()
        except EOFError:
            process.join()
            raise TrainingDiedError(f"the training process ended: {_how(process)}") from None
        if isinstance(received, TrainerError):
            raise received
        if isinstance(received, Manifest):
            return received
        tell(received.message, received.done)
    return None


def _how(process: BaseProcess) -> str:
    code = process.exitcode
    if code is not None and code < 0:
        return f"signal {-code}" + (
            ", perhaps for want of memory" if code == -signal.SIGKILL else ""
        )
    return f"status {code}; its log says why"


def _train(settings: Settings, pipe: Connection) -> None:
    from trainer.training import train  # noqa: PLC0415 -- only this process needs what fits models

    configure_logging("trainer")
    with suppress(PermissionError):  # some sandboxes forbid it; training works all the same
        os.nice(NICENESS)
    try:
        with psycopg.connect(settings.conninfo(), autocommit=True) as connection:
            pipe.send(train(connection, settings, lambda: datetime.now(UTC), _sender(pipe)))
    except TrainerError as error:
        pipe.send(error)
    except psycopg.Error as error:
        pipe.send(DatabaseError(f"PostgreSQL would not: {_one_line(error)}"))
    except OSError as error:
        pipe.send(VolumeError(f"it could not be written: {error}"))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _sender(pipe: Connection) -> Tell:
    return lambda message, done: pipe.send(Step(message, done))

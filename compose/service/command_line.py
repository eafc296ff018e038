"""Runs the commands of a service for people: what they can mend is one line, not a traceback."""

import sys
from collections.abc import Callable

import psycopg


def run(commands: Callable[[], object], *mendable: type[Exception]) -> None:
    """Run commands; `mendable` errors, and a database out of reach, end with 1 and their words."""
    try:
        commands()
    except mendable as error:
        sys.exit(str(error))
    except psycopg.OperationalError as error:
        if error.sqlstate is not None:  # the database did answer
            raise
        sys.exit(f"the database does not answer: {' '.join(str(error).split())}")

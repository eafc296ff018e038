"""The database as commands see it: where it does not answer, they say so in one line."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import typer

from ci.settings import Settings
from compose.service.command_line import unanswered


@contextmanager
def connected() -> Iterator[psycopg.Connection]:
    """A connection to the database; where there is none, that is said and the command fails."""
    try:
        with psycopg.connect(Settings().conninfo(), autocommit=True) as connection:
            yield connection
    except psycopg.OperationalError as error:
        typer.echo(unanswered(error), err=True)
        raise typer.Exit(1) from error

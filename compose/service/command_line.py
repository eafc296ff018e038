"""Runs the commands of a service for people: what they can mend is one line, not a traceback."""

import sys
from collections.abc import Callable, Iterator

import psycopg
from pydantic import ValidationError


def run(commands: Callable[[], object], *mendable: type[Exception]) -> None:
    """Run commands; what people can mend ends with 1 and its words.

    That is: `mendable` errors, a setting that cannot be meant, and a database out of reach.
    """
    try:
        commands()
    except ValidationError as error:
        sys.exit("; ".join(_settings(error)))
    except mendable as error:
        sys.exit(str(error))
    except psycopg.OperationalError as error:
        if error.sqlstate is not None:  # the database did answer
            raise
        sys.exit(unanswered(error))


def unanswered(error: psycopg.OperationalError) -> str:
    """That the database does not answer, and why, in one line."""
    return f"the database does not answer: {' '.join(str(error).split())}"


def _settings(wrong: ValidationError) -> Iterator[str]:
    """What is wrong with each setting, by the name it has in the environment."""
    for error in wrong.errors():
        name = "_".join(map(str, error["loc"])).upper()
        if error["type"] == "missing":
            yield f"{name} is not given"
        elif error["type"] != "default_factory_not_called":  # what it needs is named itself
            words = error["msg"].removeprefix("Value error, ")
            yield f"{name} is {str(error['input'])!r}: {words}"

"""Runs the commands of a service for people: what they can mend is one line, not a traceback."""

import sys
from collections.abc import Callable, Iterator

import psycopg
from pydantic import ValidationError


def run(commands: Callable[[], object], *mendable: type[Exception]) -> None:
    """Run commands; what people can mend ends with 1 and its words.

    That is: `mendable` errors, a setting that cannot be meant, and a database that is out of
    reach, refuses the session, or ended it.
    """
    try:
        commands()
    except ValidationError as error:
        sys.exit("; ".join(_settings(error)))
    except mendable as error:
        sys.exit(str(error))
    except psycopg.OperationalError as error:
        sys.exit(f"the database does not answer: {' '.join(str(error).split())}")


def _settings(wrong: ValidationError) -> Iterator[str]:
    """What is wrong with each setting, by the name it has in the environment."""
    for error in wrong.errors():
        name = "_".join(map(str, error["loc"])).upper()
        if error["type"] == "missing":
            yield f"{name} is not given"
        elif error["type"] != "default_factory_not_called":  # what it needs is named itself
            words = error["msg"].removeprefix("Value error, ")
            yield f"{name} is {str(error['input'])!r}: {words}"

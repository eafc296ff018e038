"""Settings of several values, as an environment variable can hold them: separated by commas."""

from pydantic import BeforeValidator


def _split(value: object) -> object:
    return value.split(",") if isinstance(value, str) else value


SPLIT_AT_COMMAS = BeforeValidator(_split)
"""For `Annotated[tuple[…], NoDecode, SPLIT_AT_COMMAS]`: else the value is taken for JSON."""

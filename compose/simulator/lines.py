"""How an event is written into the stream: more or fewer digits, seldom damaged, seldom twice."""

import string
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random

from ingest.lines.grammar import KINDS, Event, Requested, format_line

_CHARACTERS = (string.ascii_letters + string.digits + string.punctuation + " ").encode()
_FRACTIONS = 0.01
"""Share of the lines other than requests whose time has a fraction."""
_NAMES = {kind.event: kind.name for kind in KINDS}


@dataclass(frozen=True)
class Mishaps:
    """The shares of lines that are damaged and that are published twice."""

    damaged: float
    doubled: float


def written(event: Event, mishaps: Mishaps, random: Random) -> Iterator[tuple[str, bytes]]:
    """The event's line as it reaches the stream, with its kind; a second one if it is doubled.

    The kind is its name in `KINDS`, but damaged or doubled for such lines.
    """
    kind, line = _NAMES[type(event)], _spelt(event, random)
    if random.random() < mishaps.damaged:
        kind, line = "damaged", damaged(line, random)
    yield kind, line
    if random.random() < mishaps.doubled:
        yield "doubled", line


def damaged(line: bytes, random: Random) -> bytes:
    """The line with one random character inserted anywhere."""
    place = random.randint(0, len(line))
    return line[:place] + bytes([random.choice(_CHARACTERS)]) + line[place:]


def _spelt(event: Event, random: Random) -> bytes:
    if not isinstance(event, Requested):
        return format_line(replace(event, time=_rarely_with_fraction(event.time, random)))
    digits = random.choice((3, 6, 9))
    if digits == 3:  # noqa: PLR2004 -- milliseconds
        return format_line(replace(event, time=_whole_milliseconds(event.time)))
    line = format_line(event)
    return _with_nanoseconds(line, random) if digits > 6 and event.time.microsecond else line  # noqa: PLR2004 -- nanoseconds


def _rarely_with_fraction(time: datetime, random: Random) -> datetime:
    if random.random() < _FRACTIONS:
        return _whole_milliseconds(time)
    return time.replace(microsecond=0)


def _whole_milliseconds(time: datetime) -> datetime:
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def _with_nanoseconds(line: bytes, random: Random) -> bytes:
    time, rest = line.split(b",", 1)
    return time.ljust(26, b"0") + b"%03d," % random.randrange(1000) + rest

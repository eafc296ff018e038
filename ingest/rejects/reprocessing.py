"""What is done about rejected lines: look at them; take those that can be read by now."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.resources import files

import psycopg

from compose.service.text_table import columns
from ingest.catalogue.discovery import DISCOVER
from ingest.checkpoint import OffsetRange
from ingest.deduplication.window import Place
from ingest.landing.rows import Rows, Rules, add_event, admit
from ingest.landing.transaction import copy_rows
from ingest.lines.grammar import Reason, Rejected
from ingest.retention.drop import TAKE_TURNS
from ingest.retention.retention_pass import VIEWINGS

REJECTS = files("ingest.rejects").joinpath("rejects.sql").read_bytes()
SHOWN_BYTES = 100
LINES_A_TRANSACTION = 5_000
"""At 4 KiB a line at most some 20 MiB; ingest and retention have their turn in between."""


@dataclass(frozen=True)
class Moved:
    """What one transaction did: how many rejected lines it read, and the rows that some became."""

    read: int
    rows: Rows


def rejects_table(connection: psycopg.Connection, samples: int) -> str:
    """How many lines were rejected for which reason, with the newest of each."""
    rows = connection.execute(REJECTS, {"samples": samples}).fetchall()
    heading = ["reason", "lines", "landed at", "partition", "offset", "line"]
    return columns(
        [
            heading,
            *(
                [
                    reason,
                    f"{lines:,}",
                    f"{at:%Y-%m-%d %H:%M:%S}",
                    str(number),
                    str(offset),
                    _shown(raw),
                ]
                for reason, lines, at, number, offset, raw in rows
            ),
        ]
    )


def _shown(raw: bytes) -> str:
    return repr(raw[:SHOWN_BYTES])[2:-1] + ("…" if len(raw) > SHOWN_BYTES else "")


def readable_rejects(connection: psycopg.Connection) -> int:
    """How many rejected lines are there whole, and will be tried."""
    row = connection.execute(
        "SELECT count(*) FROM reject WHERE reason <> %s", (Reason.OVER_LONG,)
    ).fetchone()
    return row[0] if row else 0


def reprocess(
    connection: psycopg.Connection,
    rules: Callable[[], Rules],
    lines: int = LINES_A_TRANSACTION,
) -> Iterator[Moved]:
    """Move the rejected lines that are taken by now to their tables, so many in a transaction.

    Partition and offset stay the same, so the audit balances after each; whatever ends this in the
    middle has moved each line whole or not at all, and the next call goes on. `rules` is asked in
    each transaction, when nothing can be dropped any more before it ends. Lines that were too long
    are left: only their beginning was kept. Needs the role `retention`.
    """
    with connection.cursor("refused", withhold=True) as refused:
        refused.execute(
            "SELECT log_partition, log_offset, raw FROM reject WHERE reason <> %s ORDER BY 1, 2",
            (Reason.OVER_LONG,),
        )
        while read := refused.fetchmany(lines):
            yield Moved(len(read), _move(connection, read, rules))


def _move(
    connection: psycopg.Connection,
    refused: Iterable[tuple[int, int, bytes]],
    rules: Callable[[], Rules],
) -> Rows:
    rows = Rows()
    with connection.transaction():
        connection.execute(TAKE_TURNS)
        by = rules()
        events = {
            (number, offset): event
            for number, offset, raw in refused
            if not isinstance(event := admit(raw, by), Rejected)
        }
        taken = _take(connection, events)
        for place in taken:
            add_event(rows, events[place], b"%d\t%d\n" % place)
        copy_rows(connection, rows)
        _catch_up(connection, taken)
        _tell_evaluation(connection, taken)
    return rows


def _take(connection: psycopg.Connection, places: Collection[Place]) -> list[Place]:
    """Delete these of the rejected lines; where those stood that were still there, in order."""
    deleted = connection.execute(
        "DELETE FROM reject USING unnest(%s::smallint[], %s::bigint[]) AS taken (number, place)"
        " WHERE log_partition = number AND log_offset = place"
        " RETURNING log_partition, log_offset",
        ([number for number, _ in places], [offset for _, offset in places]),
    )
    return sorted(deleted.fetchall())


def _catch_up(connection: psycopg.Connection, places: Sequence[Place]) -> None:
    """Do for these lines what was done for all others at their offsets long ago."""
    for progress, work in (("viewing_progress", VIEWINGS), ("catalogue_progress", DISCOVER)):
        done: dict[int, int] = dict(
            connection.execute(
                f"SELECT log_partition, next_offset FROM {progress} FOR UPDATE"  # noqa: S608 -- one of the two above
            ).fetchall()
        )
        for run in runs([place for place in places if place[1] < done.get(place[0], 0)]):
            connection.execute(work, asdict(run))


def _tell_evaluation(connection: psycopg.Connection, places: Sequence[Place]) -> None:
    """Evaluation follows the stream by offset too, in a transaction of its own."""
    connection.cursor().executemany(
        "INSERT INTO reprocessed_lines (log_partition, from_offset, to_offset) VALUES (%s, %s, %s)",
        [(run.log_partition, run.from_offset, run.to_offset) for run in runs(places)],
    )


def runs(places: Iterable[Place]) -> list[OffsetRange]:
    """Places in order, as ranges of offsets that follow one another."""
    ranges: list[OffsetRange] = []
    for number, offset in places:
        last = ranges[-1] if ranges else None
        if last and (last.log_partition, last.to_offset) == (number, offset):
            ranges[-1] = replace(last, to_offset=offset + 1)
        else:
            ranges.append(OffsetRange(number, offset, offset + 1))
    return ranges

"""What is done about refused lines: look at them; take those that can be read by now."""

from dataclasses import asdict
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


def rejects_table(connection: psycopg.Connection, samples: int) -> str:
    """How many lines were refused for which reason, with the newest of each."""
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


def reprocess(connection: psycopg.Connection, rules: Rules) -> Rows:
    """Move the refused lines that are taken by now to their tables; the rows they became.

    One transaction; partition and offset stay the same, so the audit balances as before.
    Lines that were too long are left: only their beginning was kept. Needs the role
    `retention`.
    """
    rows = Rows()
    taken: list[Place] = []
    with connection.transaction():
        connection.execute(TAKE_TURNS)
        refused = connection.execute(
            "SELECT log_partition, log_offset, raw FROM reject WHERE reason <> %s ORDER BY 1, 2",
            (Reason.OVER_LONG,),
        )
        for number, offset, raw in refused:
            event = admit(raw, rules)
            if not isinstance(event, Rejected):
                add_event(rows, event, b"%d\t%d\n" % (number, offset))
                taken.append((number, offset))
        _delete(connection, taken)
        copy_rows(connection, rows)
        _catch_up(connection, taken)
    return rows


def _delete(connection: psycopg.Connection, places: list[Place]) -> None:
    connection.execute(
        "DELETE FROM reject USING unnest(%s::smallint[], %s::bigint[]) AS taken (number, place)"
        " WHERE log_partition = number AND log_offset = place",
        ([number for number, _ in places], [offset for _, offset in places]),
    )


def _catch_up(connection: psycopg.Connection, places: list[Place]) -> None:
    """Do for these lines what was done for all others at their offsets long ago."""
    for progress, work in (("viewing_progress", VIEWINGS), ("catalogue_progress", DISCOVER)):
        done: dict[int, int] = dict(
            connection.execute(
                f"SELECT log_partition, next_offset FROM {progress} FOR UPDATE"  # noqa: S608 -- one of the two above
            ).fetchall()
        )
        for number, offset in places:
            if offset < done.get(number, 0):
                connection.execute(work, asdict(OffsetRange(number, offset, offset + 1)))

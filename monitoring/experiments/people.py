"""Who is in an experiment and what they do, taken up from the stream as it lands; each once.

The stream is followed by partition and offset, and a range of lines is taken up in the
transaction that notes it, so whatever is killed, each line is reckoned with once. Whoever was
counted before a line or a receipt of theirs came is counted once more, with it, as long as
evaluation has not closed its time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

import psycopg
from psycopg.rows import class_row, scalar_row

SQL = files("monitoring.experiments") / "sql"


@dataclass(frozen=True)
class Ranges:
    """The new lines of one partition: from <= offset < to."""

    log_partition: int
    requests_from: int
    requests_to: int
    watches_from: int
    watches_to: int


def take_up(
    connection: psycopg.Connection, experiment_id: int, progress: datetime, now: datetime
) -> None:
    """Reckon with what has landed, and count those whose time is over.

    Args:
        connection: in autocommit mode, as the role `evaluation`.
        experiment_id: the experiment.
        progress: everything before it has landed, UTC.
        now: the time, UTC.
    """
    with connection.transaction():
        terms = {"experiment_id": experiment_id, "progress": progress, "now": now}
        with connection.cursor(row_factory=class_row(Ranges)) as cursor:
            found = cursor.execute(SQL.joinpath("ranges.sql").read_bytes(), terms).fetchall()
        for name in ("enrol.sql", "requests.sql", "late_lines.sql"):
            for one in found:
                lines = {"from_offset": one.requests_from, "to_offset": one.requests_to}
                _run(connection, name, terms | lines | {"log_partition": one.log_partition})
        for one in found:
            lines = {"from_offset": one.watches_from, "to_offset": one.watches_to}
            lines["log_partition"] = one.log_partition
            _run(connection, "watches.sql", terms | lines)
            _run(connection, "late_lines.sql", terms | lines)
            connection.execute(
                "UPDATE experiment_offset SET request_offset = %s, watch_offset = %s,"
                " taken_until = %s WHERE experiment_id = %s AND log_partition = %s",
                (one.requests_to, one.watches_to, progress, experiment_id, one.log_partition),
            )
        _run(connection, "count_again.sql", terms)
        _run(connection, "count_people.sql", terms)


def take_up_again(
    connection: psycopg.Connection, log_partition: int, from_offset: int, to_offset: int
) -> None:
    """Reckon with lines that landed at offsets that were passed, in the caller's transaction.

    Whom they belong to is counted once more, at the next `take_up`.
    """
    lines = {"log_partition": log_partition, "from_offset": from_offset, "to_offset": to_offset}
    with connection.cursor(row_factory=scalar_row) as cursor:
        recent = cursor.execute(SQL.joinpath("recent.sql").read_bytes()).fetchall()
    for experiment_id in recent:
        for name in ("enrol.sql", "late_lines.sql"):
            _run(connection, name, lines | {"experiment_id": experiment_id})


def _run(connection: psycopg.Connection, name: str, terms: Mapping[str, object]) -> None:
    connection.execute(SQL.joinpath(name).read_bytes(), terms)

"""Who is in an experiment and what they do, taken up from the stream as it lands; each once.

The stream is followed by partition and offset, and a range of lines is taken up in the
transaction that notes it, so whatever is killed, each line is reckoned with once.
"""

from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

import psycopg
from psycopg.rows import class_row

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
        for name in ("enrol.sql", "requests.sql"):
            for one in found:
                lines = {"from_offset": one.requests_from, "to_offset": one.requests_to}
                _run(connection, name, terms | lines | {"log_partition": one.log_partition})
        for one in found:
            lines = {"from_offset": one.watches_from, "to_offset": one.watches_to}
            _run(connection, "watches.sql", terms | lines | {"log_partition": one.log_partition})
            connection.execute(
                "UPDATE experiment_offset SET request_offset = %s, watch_offset = %s,"
                " taken_until = %s WHERE experiment_id = %s AND log_partition = %s",
                (one.requests_to, one.watches_to, progress, experiment_id, one.log_partition),
            )
        _run(connection, "count_people.sql", terms)


def _run(connection: psycopg.Connection, name: str, terms: dict[str, object]) -> None:
    connection.execute(SQL.joinpath(name).read_bytes(), terms)

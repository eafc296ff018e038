"""What decides whether lines are taken: the settings, and what the database was seen to hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from ingest.landing.rows import TABLE_OF, Rules
from ingest.lines.admission import KnownIds, TimeVerdicts
from ingest.lines.grammar import RatingScale
from ingest.partition import Partition
from ingest.retention.partitions import existing_partitions
from ingest.settings import LineSettings

KNOWLEDGE_AGE = timedelta(seconds=30)
KEYS = "line_key"


@dataclass(frozen=True)
class Knowledge:
    """What was known at a time of the tables' partitions, and which ids exist."""

    partitions: Mapping[str, Sequence[Partition]]
    ids: KnownIds
    at: datetime


class AdmissionRules:
    """The rules by what is known of the database, which is asked anew every half minute.

    `strict` refuses movies that the catalogue has not described.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        scale: RatingScale,
        clock_tolerance: timedelta,
        user_ids: range = KnownIds.users,
        *,
        strict: bool = False,
    ) -> None:
        self._connection = connection
        self._scale = scale
        self._clock_tolerance = clock_tolerance
        self._user_ids = user_ids
        self._strict = strict
        self._knowledge: Knowledge | None = None

    def know(self, now: datetime, at_most_old: timedelta = KNOWLEDGE_AGE) -> Knowledge:
        """What is known of the database; it is asked again where that is too old."""
        if self._knowledge is None or now - self._knowledge.at >= at_most_old:
            partitions = {
                table: existing_partitions(self._connection, table)
                for table in (*TABLE_OF.values(), KEYS)
            }
            movies = known_movies(self._connection) if self._strict else None
            self._knowledge = Knowledge(partitions, KnownIds(self._user_ids, movies), now)
        return self._knowledge

    def last_known(self, now: datetime) -> Knowledge:
        """What was known last, however old; the database is asked only if it never was."""
        return self._knowledge or self.know(now)

    def by(self, knowledge: Knowledge, now: datetime, published: datetime | None = None) -> Rules:
        """The rules by what was known, for lines of which the newest was `published` then."""
        verdicts = {
            table: TimeVerdicts(partitions, now, self._clock_tolerance, published)
            for table, partitions in knowledge.partitions.items()
        }
        return Rules(verdicts, self._scale, now, knowledge.ids)

    def newest(self, now: datetime) -> Rules:
        """The rules by the database as it is at this moment."""
        return self.by(self.know(now, timedelta(0)), now)


def admission_rules(connection: psycopg.Connection, settings: LineSettings) -> AdmissionRules:
    """What these settings say of the lines that are taken."""
    return AdmissionRules(
        connection,
        settings.scale,
        settings.clock_tolerance,
        settings.user_ids,
        strict=settings.catalogue == "strict",
    )


def known_movies(connection: psycopg.Connection) -> frozenset[bytes]:
    """The movies that the catalogue has described."""
    rows = connection.execute("SELECT movie_id FROM movie WHERE title IS NOT NULL")
    return frozenset(movie_id.encode() for (movie_id,) in rows)

"""The first releases: they come by themselves, until what is live has passed the gate.

While nothing is live at all, Nginx answers with what is popular among the rows landed so far.
"""

import time
from dataclasses import dataclass

import psycopg
import structlog
from procrastinate.exceptions import AlreadyEnqueued

from ci.errors import RefusedError
from ci.release import records
from ci.settings import Settings
from ci.slots import code, popular_lists
from compose.service.jobs import defer, job_app

LOOK_SECONDS = 5.0
TRIES = 3
"""So often a version is tried while nothing is live: a release that was killed has failed."""

POPULAR_SO_FAR = """
SELECT movie_id
FROM (
    (SELECT movie_id FROM rating LIMIT 100000)
    UNION ALL (SELECT movie_id FROM viewing LIMIT 100000)
) AS met
GROUP BY movie_id
ORDER BY count(*) DESC, movie_id
LIMIT 100
"""

LOG = structlog.get_logger()


def keep_releasing(settings: Settings, queue: str) -> None:
    """Release what is accepted until something that was judged is live; publish lists before.

    A database or a volume that is away passes; a release under way is waited for.
    """
    conninfo = settings.conninfo()
    while True:
        try:
            with psycopg.connect(conninfo, autocommit=True) as connection:
                live = live_algorithm(connection)
                if live not in (None, "popularity"):
                    return
                if live is None:
                    publish_so_far(connection, settings)
                asked = due(connection)
            if asked:
                defer(job_app(conninfo), "release", queue, **vars(asked))
        except (RefusedError, AlreadyEnqueued) as error:
            LOG.debug("no first release just now", why=str(error))
        except (psycopg.OperationalError, OSError) as error:
            LOG.warning("not looked for a first release", why=str(error))
        time.sleep(LOOK_SECONDS)


def live_algorithm(connection: psycopg.Connection) -> str | None:
    """By which algorithm what is live was made; None when nothing is live."""
    live = records.deployed(connection).live
    if live is None:
        return None
    row = connection.execute(
        "SELECT algorithm FROM model_version WHERE version = %s", (live.version,)
    ).fetchone()
    return row[0] if row else "unknown"


def is_after_a_model(connection: psycopg.Connection) -> bool:
    """Whether anything but popularity was ever live.

    Popularity that was first was let through unjudged: that is not worth people's days. One
    that somebody went back to is what people were better off with.
    """
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM deployment JOIN model_version"
        " ON model_version.version = deployment.live_version"
        " WHERE step = 'promote' AND algorithm <> 'popularity')"
    ).fetchone()
    return row == (True,)


@dataclass(frozen=True)
class Asked:
    """A release to ask for, as the job takes it."""

    version: str
    quality: str


def due(connection: psycopg.Connection) -> Asked | None:
    """What to release now; what was tried in place of a live version is a person's to try.

    Raises:
        RefusedError: no version is accepted yet.
    """
    version, live = records.choose_version(connection, None), records.deployed(connection).live
    if records.jobs_open(connection) or (live and code.difference(connection)):
        return None
    tries = 1 if live else TRIES
    if records.times_begun(connection, version) >= tries:
        return None
    return Asked(version, "judge" if is_after_a_model(connection) else "skip")


def publish_so_far(connection: psycopg.Connection, settings: Settings) -> None:
    """Give Nginx what is popular among the rows so far, if there are any.

    Raises:
        RefusedError: a release is at work, which publishes its version's lists.
    """
    with records.sole_releaser(connection):
        if records.deployed(connection).live is not None:
            return
        movies = [movie for (movie,) in connection.execute(POPULAR_SO_FAR)]
        if movies:
            popular_lists.publish_so_far(settings.state_directory, movies)
